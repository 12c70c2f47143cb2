// What the fuzz targets share: numbers from an input's first bytes, and an input as a file.
#pragma once
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace lrscope {

// Takes numbers from the front of an input; 0 once it is used up.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  uint32_t number(int bytes) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | (at_ < size_ ? data_[at_++] : 0u);
    return value;
  }
  const uint8_t* rest() const { return data_ + at_; }
  size_t left() const { return size_ - at_; }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

// One file that is written anew for each input, for readers that take a path.
class InputFile {
 public:
  InputFile() {
    const char* folder = std::getenv("TMPDIR");
    name_ = std::string(folder ? folder : "/tmp") + "/lrscope-fuzz-XXXXXX";
    descriptor_ = mkstemp(name_.data());
    if (descriptor_ < 0) {
      std::perror(name_.c_str());
      std::exit(1);
    }
  }
  ~InputFile() {
    close(descriptor_);
    unlink(name_.c_str());
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& write(const uint8_t* data, size_t size) {
    if (ftruncate(descriptor_, 0) != 0 ||
        pwrite(descriptor_, data, size, 0) != static_cast<ssize_t>(size)) {
      std::perror(name_.c_str());
      std::exit(1);
    }
    return name_;
  }

 private:
  std::string name_;
  int descriptor_;
};

// Ends the process with the rule that an input has shown to be broken.
[[noreturn]] inline void fail(const std::string& rule) {
  std::fprintf(stderr, "== RULE BROKEN: %s\n", rule.c_str());
  std::abort();
}

}  // namespace lrscope
