/**
 * @file A trained network as an ONNX model for inference: batch norm with its running statistics,
 * dropout gone, any batch size. Weights keep PyTorch's names.
 * Source: onnx.proto and the operators' pages of opset 13, ONNX 1.16.
 */

import { at, get } from "../core/at.ts";
import { WeightsError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shapes.ts";
import type { Graph, Node, Tensor } from "../ir/index.ts";
import type { LayerOp } from "../program/index.ts";
import { MessageWriter } from "./protobuf.ts";
import type { StoredTensor } from "./safetensors.ts";

export interface OnnxOptions {
  /** The network's graph, of any batch; its output "logits" becomes the model's. */
  readonly graph: Graph;
  /** Parameters and running statistics by name, float32. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Output "probabilities" in place of "logits"; default false. */
  readonly softmax?: boolean;
  /** Free text by key: classes, mean, std, size. Default none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const OPSET = 13;
const IR_VERSION = 7;
const FLOAT = 1;

/**
 * The bytes of an ONNX file. Input "images": (batch, channels, size, size), float32, normalised.
 * @throws WeightsError where a weight is missing, misshapen or not float32, or an op has no
 * counterpart in ONNX
 */
export function encodeOnnx(options: OnnxOptions): Uint8Array<ArrayBuffer> {
  const { graph, softmax = false, metadata = {} } = options;
  const logits = graph.tensors[graph.outputs.logits ?? -1];
  const images = graph.tensors.find(({ role }) => role === "images");
  if (!logits || !images)
    throw new WeightsError('ONNX: the graph must have an input of images and an output "logits"');
  const model = new MessageWriter()
    .integer(1, IR_VERSION)
    .text(2, "lrscope")
    .message(7, (message) => writeGraph(message, options, { images, logits }))
    .message(8, (message) => message.text(1, "").integer(2, OPSET));
  for (const [key, value] of Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))
    model.message(14, (message) => message.text(1, key).text(2, value));
  return model.finish();

  function writeGraph(
    message: MessageWriter,
    { tensors }: OnnxOptions,
    ends: { images: Tensor; logits: Tensor },
  ): void {
    const names = new Map(graph.tensors.map((tensor) => [tensor.id, valueName(tensor)]));
    names.set(ends.images.id, "images");
    if (!softmax) names.set(ends.logits.id, "logits");
    graph.nodes.forEach((node, index) => {
      // A layer may be several nodes, and ONNX wants their names to differ.
      const renamed = { ...node, layer: `${index}:${node.layer}` };
      for (const made of convert(graph, renamed, (id) => get(names, id, "tensors")))
        message.message(1, made);
    });
    if (softmax)
      message.message(
        1,
        operation("Softmax", {
          name: "probabilities",
          inputs: [get(names, ends.logits.id, "tensors")],
          outputs: ["probabilities"],
          integers: { axis: 1 },
        }),
      );
    message.text(2, graph.name);
    for (const tensor of graph.tensors)
      if (tensor.role === "parameter" || tensor.role === "statistic")
        message.message(5, initializer(tensor.name, checked(tensor, tensors)));
    message.message(11, valueInfo("images", ends.images.shape));
    message.message(12, valueInfo(softmax ? "probabilities" : "logits", ends.logits.shape));
  }
}

/** Weights keep their names; values are told apart by their ids, as layers may repeat names. */
const valueName = ({ id, name, role }: Tensor) =>
  role === "parameter" || role === "statistic" ? name : `${name}#${id}`;

function checked(tensor: Tensor, tensors: ReadonlyMap<string, StoredTensor>): StoredTensor {
  const stored = tensors.get(tensor.name);
  if (!stored) throw new WeightsError(`ONNX: "${tensor.name}" is missing among the weights`);
  if (!sameShape(stored.shape, tensor.shape))
    throw new WeightsError(
      `ONNX: "${tensor.name}" must be ${formatShape(tensor.shape)}; got ${formatShape(stored.shape)}`,
    );
  if (!(stored.data instanceof Float32Array))
    throw new WeightsError(`ONNX: "${tensor.name}" must be float32`);
  return stored;
}

const initializer =
  (name: string, { shape, data }: StoredTensor) =>
  (message: MessageWriter) => {
    for (const extent of shape) message.integer(1, extent);
    message
      .integer(2, FLOAT)
      .text(8, name)
      .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  };

const valueInfo = (name: string, shape: readonly number[]) => (message: MessageWriter) =>
  message.text(1, name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.integer(1, FLOAT).message(2, (dimensions) => {
        dimensions.message(1, (dimension) => dimension.text(2, "batch"));
        for (const extent of shape.slice(1))
          dimensions.message(1, (dimension) => dimension.integer(1, extent));
      }),
    ),
  );

interface Operation {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly integers?: Readonly<Record<string, number | readonly number[]>>;
  readonly floats?: Readonly<Record<string, number>>;
}

const operation =
  (type: string, { name, inputs, outputs, integers = {}, floats = {} }: Operation) =>
  (message: MessageWriter) => {
    for (const input of inputs) message.text(1, input);
    for (const output of outputs) message.text(2, output);
    message.text(3, name).text(4, type);
    for (const [key, value] of Object.entries(integers))
      message.message(5, (attribute) => {
        attribute.text(1, key);
        if (typeof value === "number") attribute.integer(3, value).integer(20, 2);
        else {
          for (const item of value) attribute.integer(8, item);
          attribute.integer(20, 7);
        }
      });
    for (const [key, value] of Object.entries(floats))
      message.message(5, (attribute) => attribute.text(1, key).float(2, value).integer(20, 1));
  };

/** The operations that an op becomes. */
function convert(
  graph: Graph,
  node: Node,
  nameOf: (id: number) => string,
): ((message: MessageWriter) => void)[] {
  const { layer, attributes } = node;
  const op = node.op as LayerOp;
  const inputs = node.inputs.map(nameOf);
  const output = nameOf(at(node.outputs, 0, "outputs"));
  const outputs = [output];
  const shapeOf = (input: number) =>
    at(graph.tensors, at(node.inputs, input, "inputs"), "tensors").shape;
  const common = { name: layer, inputs, outputs };
  const pair = (key: string) => attributes[key] as readonly [number, number];
  const window = () => {
    const [h, w] = pair("padding");
    return { strides: pair("stride"), pads: [h, w, h, w] };
  };
  switch (op) {
    case "conv2d": {
      const group = (attributes.groups as number | undefined) ?? 1;
      const kernel_shape = shapeOf(1).slice(2);
      const after = attributes.paddingAfter ? pair("paddingAfter") : pair("padding");
      const pads = [...pair("padding"), ...after];
      const integers = { kernel_shape, group, strides: pair("stride"), pads };
      return [operation("Conv", { ...common, integers })];
    }
    case "batchNorm":
      return [
        operation("BatchNormalization", {
          ...common,
          floats: { epsilon: attributes.epsilon as number },
        }),
      ];
    case "relu":
      return [operation("Relu", common)];
    case "relu6": {
      // Constants rather than initialisers: those are read back as weights.
      const bound = (name: string, value: number) =>
        operation("Constant", {
          name: `${layer}:${name}`,
          inputs: [],
          outputs: [`${output}:${name}`],
          floats: { value_float: value },
        });
      const bounds = [`${output}:low`, `${output}:high`];
      return [
        bound("low", 0),
        bound("high", 6),
        operation("Clip", { ...common, inputs: [...inputs, ...bounds] }),
      ];
    }
    case "maxPool2d":
      return [
        operation("MaxPool", {
          ...common,
          integers: { kernel_shape: pair("kernel"), ...window() },
        }),
      ];
    case "globalAveragePool": {
      const pooled = `${output}:pooled`;
      return [
        operation("GlobalAveragePool", { ...common, outputs: [pooled] }),
        operation("Flatten", {
          name: `${layer}:flatten`,
          inputs: [pooled],
          outputs,
          integers: { axis: 1 },
        }),
      ];
    }
    case "adaptiveAveragePool2d": {
      const [, , height = 0, width = 0] = shapeOf(0);
      const [rows, columns] = pair("outputSize");
      // ONNX has windows of one size only.
      if (height % rows !== 0 || width % columns !== 0)
        throw new WeightsError(
          `ONNX: layer "${layer.replace(/^\d+:/, "")}" pools ${height}x${width} to ${rows}x${columns}, in windows of several sizes, which ONNX does not have; train at a size where the second divides the first (224 for vgg11_bn), or export the weights as safetensors`,
        );
      const kernel = [height / rows, width / columns];
      return [
        operation("AveragePool", {
          ...common,
          integers: { kernel_shape: kernel, strides: kernel },
        }),
      ];
    }
    case "flatten":
      return [operation("Flatten", { ...common, integers: { axis: 1 } })];
    case "linear":
      return [operation("Gemm", { ...common, integers: { transB: 1 } })];
    case "add":
      return [operation("Add", common)];
    case "dropout":
      return [operation("Identity", common)];
    default:
      op satisfies never;
      throw new WeightsError(
        `ONNX: layer "${layer.replace(/^\d+:/, "")}" is a ${node.op}, which has no counterpart; export the weights as safetensors`,
      );
  }
}
