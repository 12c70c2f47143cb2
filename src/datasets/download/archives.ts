/** @file What can be downloaded: where it lies, how long it is, and what it hashes to. */

export interface DownloadFile {
  readonly url: string;
  /** null where the publisher does not say. */
  readonly bytes: number | null;
  /** Its first hexadecimal digits, or all; publishers of weights state eight, or none. */
  readonly checksum: { readonly algorithm: "sha256" | "md5"; readonly hex: string };
}

export interface Download {
  readonly files: readonly DownloadFile[];
  /** The folder inside the tar archive that becomes the source; null: the files are used as they are. */
  readonly folder: string | null;
}

const fashion = (name: string, bytes: number, md5: string): DownloadFile => ({
  url: `http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/${name}`,
  bytes,
  checksum: { algorithm: "md5", hex: md5 },
});

export const downloads = {
  /** TensorFlow's flower photos: 3,670 of five kinds, CC-BY. */
  flowers: {
    files: [
      {
        url: "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
        bytes: 228_813_984,
        checksum: {
          algorithm: "sha256",
          hex: "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
        },
      },
    ],
    folder: "flower_photos",
  },
  /** 60,000 images of ten kinds of things, 32 x 32. */
  cifar10: {
    files: [
      {
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        checksum: {
          algorithm: "sha256",
          hex: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        },
      },
    ],
    folder: "cifar-10-batches-bin",
  },
  /** 70,000 images of ten kinds of clothing, 28 x 28. */
  "fashion-mnist": {
    files: [
      fashion("train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
      fashion("train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
      fashion("t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
      fashion("t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
    ],
    folder: null,
  },
} satisfies Record<string, Download>;

export const fashionClasses = [
  "t-shirt",
  "trouser",
  "pullover",
  "dress",
  "coat",
  "sandal",
  "shirt",
  "sneaker",
  "bag",
  "ankle boot",
] as const;
