// The main function of a fuzz target that is built without libFuzzer.
//   TARGET FILE...   runs each file as one input, in order: how a failure is shown again
//   TARGET           reads inputs from standard input, each behind its length as u32,
//   little-endian,
//                    and answers each with one byte on standard output
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// Processor time, instrumented; what takes this long has no end.
constexpr int kMostSeconds = 20;

void tooLong(int) {
  constexpr char kMessage[] = "== RULE BROKEN: one input takes more than 20 CPU seconds\n";
  (void)!write(2, kMessage, sizeof kMessage - 1);
  std::abort();
}

void run(std::vector<uint8_t>& bytes) {
  const itimerval limit{{0, 0}, {kMostSeconds, 0}};
  setitimer(ITIMER_PROF, &limit, nullptr);
  bytes.shrink_to_fit();  // so that a read behind them is seen
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

bool readAll(void* target, size_t bytes) { return std::fread(target, 1, bytes, stdin) == bytes; }

int runFiles(int count, char** names) {
  for (int i = 0; i < count; ++i) {
    std::FILE* file = std::fopen(names[i], "rb");
    if (!file) {
      std::perror(names[i]);
      return 1;
    }
    std::vector<uint8_t> bytes;
    for (int c; (c = std::fgetc(file)) != EOF;) bytes.push_back(static_cast<uint8_t>(c));
    std::fclose(file);
    std::fprintf(stderr, "%s\n", names[i]);
    run(bytes);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPROF, tooLong);
  if (argc > 1) return runFiles(argc - 1, argv + 1);
  for (uint8_t head[4]; readAll(head, 4);) {
    std::vector<uint8_t> bytes(head[0] | head[1] << 8 | head[2] << 16 | head[3] << 24);
    if (!readAll(bytes.data(), bytes.size())) return 1;
    run(bytes);
    if (write(1, "", 1) != 1) return 1;
  }
  return 0;
}
