// Layout arithmetic, and the translation between layouts and oneDNN's descriptors.
#include "engine/tensor.h"

#include <dnnl_debug.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace lrscope {

namespace {

using Tag = dnnl::memory::format_tag;

dnnl::memory::data_type onednnType(DType type) {
  switch (type) {
    case DType::f32:
      return dnnl::memory::data_type::f32;
    case DType::bf16:
      return dnnl::memory::data_type::bf16;
    case DType::i32:
      return dnnl::memory::data_type::s32;
    case DType::u8:
      return dnnl::memory::data_type::u8;
  }
  throw Refusal("internal: unknown data type");
}

// Every format that oneDNN names, by name; plain ones come first in its enumeration.
const std::vector<std::pair<std::string, Tag>>& namedTags() {
  static const auto* const tags = [] {
    auto* list = new std::vector<std::pair<std::string, Tag>>;
    for (int tag = dnnl_format_tag_any + 1; tag < dnnl_format_tag_last; ++tag)
      list->emplace_back(dnnl_fmt_tag2str(static_cast<dnnl_format_tag_t>(tag)),
                         static_cast<Tag>(tag));
    return list;
  }();
  return *tags;
}

// Elements of a tensor with its padding, at most: so that no offset overflows.
constexpr int64_t kMostElements = int64_t{1} << 42;

// Leading letters of a layout: its rank.
size_t lettersOf(const std::string& layout) {
  size_t count = 0;
  while (count < layout.size() && std::isalpha(static_cast<unsigned char>(layout[count]))) ++count;
  return count;
}

}  // namespace

std::string formatShape(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

LayoutMap::LayoutMap(const std::string& layout, const std::vector<int64_t>& shape) : shape_(shape) {
  const size_t rank = shape.size();
  const auto malformed = [&] {
    return Refusal("layout \"" + layout + "\" does not fit shape " + formatShape(shape));
  };
  if (rank < 1 || rank > 4 || lettersOf(layout) != rank) throw malformed();
  std::array<int64_t, 4> block = {1, 1, 1, 1};
  std::vector<Part> inner;
  for (size_t i = rank; i < layout.size();) {
    int64_t size = 0;
    const size_t digits = i;
    while (i < layout.size() && std::isdigit(static_cast<unsigned char>(layout[i])))
      size = size * 10 + (layout[i++] - '0');
    if (i == digits || i - digits > 4 || size < 1 || i >= layout.size()) throw malformed();
    const int dimension = layout[i++] - 'a';
    if (dimension < 0 || dimension >= static_cast<int>(rank)) throw malformed();
    inner.push_back({dimension, size, 0});
    block[dimension] *= size;
    if (block[dimension] > kMostElements) throw malformed();
  }
  int64_t stride = 1;
  for (auto part = inner.rbegin(); part != inner.rend(); ++part) {
    parts_.push_back({part->dimension, part->extent, stride});
    stride *= part->extent;
    if (stride > kMostElements) throw malformed();
  }
  std::array<bool, 4> seen{};
  for (size_t i = rank; i-- > 0;) {
    const int dimension = std::tolower(static_cast<unsigned char>(layout[i])) - 'a';
    if (dimension < 0 || dimension >= static_cast<int>(rank) || seen[dimension]) throw malformed();
    seen[dimension] = true;
    const int64_t extent = (shape[dimension] + block[dimension] - 1) / block[dimension];
    if (extent > kMostElements / stride) throw malformed();
    parts_.push_back({dimension, extent, stride});
    stride *= extent;
  }
  padded_ = stride;
  for (const int64_t extent : shape) logical_ *= extent;
}

LayoutOffsets::LayoutOffsets(const LayoutMap& map)
    : first_(parts_.size() - map.shape().size()),
      byColumn_(map.innermost() == 0 && map.shape().size() > 1) {
  const std::vector<int64_t>& shape = map.shape();
  for (size_t d = 0; d < first_; ++d) parts_[d] = {0};
  for (size_t d = 0; d < shape.size(); ++d) {
    if (d > 0) columns_ *= shape[d];
    for (int64_t i = 0; i < shape[d]; ++i) {
      std::array<int64_t, 4> index{};
      index[d] = i;
      parts_[first_ + d].push_back(map.offset(index));
    }
  }
}

size_t layoutBytes(const Tensor& tensor) {
  return LayoutMap(tensor.layout, tensor.shape).paddedElements() * sizeOf(tensor.dtype);
}

namespace {

// Layouts of grouped weights by oneDNN's names for them. Blocks of outputs are blocks of groups
// where a group has one output.
const std::pair<const char*, Tag> kGrouped[] = {
    {"abcd", Tag::abcde}, {"Abcd8a", Tag::Abcde8a}, {"Abcd16a", Tag::Abcde16a}, {"any", Tag::any}};

onednn::Desc groupedDescriptor(const Tensor& t) {
  const bool depthwise = t.dim(0) == t.groups && t.dim(1) == 1;
  for (const auto& [name, tag] : kGrouped)
    if (name == t.layout && (depthwise || t.layout == "abcd" || t.layout == "any"))
      return {
          {t.groups, t.dim(0) / t.groups, t.dim(1), t.dim(2), t.dim(3)}, onednnType(t.dtype), tag};
  throw Refusal("has no grouped weights in the layout \"" + t.layout + "\"");
}

std::string groupedLayoutOf(const onednn::Desc& desc) {
  const auto dims = onednn::dimsOf(desc);
  for (const auto& [name, tag] : kGrouped) {
    if (tag == Tag::any || (tag != Tag::abcde && (dims[1] != 1 || dims[2] != 1))) continue;
    if (onednn::Desc(dims, onednn::typeOf(desc), tag) == desc) return name;
  }
  return "";
}

}  // namespace

onednn::Desc descriptor(const Tensor& tensor) {
  if (tensor.groups > 1) return groupedDescriptor(tensor);
  if (tensor.layout == "any") return {tensor.shape, onednnType(tensor.dtype), Tag::any};
  for (const auto& [name, tag] : namedTags())
    if (name == tensor.layout && lettersOf(name) == tensor.shape.size())
      return {tensor.shape, onednnType(tensor.dtype), tag};
  throw Refusal("oneDNN does not know the layout \"" + tensor.layout + "\"");
}

std::string layoutOf(const onednn::Desc& desc) {
  const auto dims = onednn::dimsOf(desc);
  if (dims.size() == 5) return groupedLayoutOf(desc);
  const auto type = onednn::typeOf(desc);
  std::string equal;
  for (const auto& [name, tag] : namedTags()) {
    if (lettersOf(name) != dims.size()) continue;
    const onednn::Desc named(dims, type, tag, true);
    if (!(named == desc)) continue;
    if (onednn::sameStrides(named, desc)) return name;
    if (equal.empty()) equal = name;
  }
  return equal;
}

ChannelView channelView(const Tensor& tensor) {
  if (tensor.shape.size() == 2 && tensor.layout == "ab") {
    // (B,C) is one image of B pixels, channels last.
    Tensor image = tensor;
    image.shape = {1, tensor.dim(1), tensor.dim(0), 1};
    image.layout = "acdb";
    return channelView(image);
  }
  if (tensor.shape.size() != 4)
    throw Refusal("expects a tensor (B,C,H,W); got shape " + formatShape(tensor.shape));
  ChannelView v{};
  v.batch = tensor.dim(0);
  v.channels = tensor.dim(1);
  v.height = tensor.dim(2);
  v.width = tensor.dim(3);
  const std::string& layout = tensor.layout;
  if (layout == "abcd") {
    v.plain = true;
    v.lanes = 8;
    v.groups = v.channels;
    v.groupStride = v.pixels();
    v.batchStride = v.channels * v.pixels();
    v.rowStride = 8;
  } else if (layout == "acdb") {
    v.lanes = 8;
    v.groups = (v.channels + 7) / 8;
    v.groupStride = 8;
    v.rowStride = v.channels;
    v.batchStride = v.channels * v.pixels();
  } else if (layout == "aBcd8b" || layout == "aBcd16b") {
    v.lanes = layout == "aBcd8b" ? 8 : 16;
    v.groups = (v.channels + v.lanes - 1) / v.lanes;
    v.rowStride = v.lanes;
    v.groupStride = v.pixels() * v.lanes;
    v.batchStride = v.groups * v.groupStride;
    v.padded = true;
  } else {
    throw Refusal("has no kernel for the layout \"" + layout + "\"");
  }
  return v;
}

}  // namespace lrscope
