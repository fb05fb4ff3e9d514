// Runs the kernel checks, on a GPU or in the emulation: kernel_test [--list] [PREFIX ...]
// Exit status: 0 all good, 1 a check failed, 2 a CUDA error, 77 no device.
#include "harness.h"

int main(int argc, char** argv) {
  if (argc > 1 && !std::strcmp(argv[1], "--list")) {
    for (const test::Test& t : test::tests()) std::puts(t.name);
    return 0;
  }
  int devices = 0;
  const int error = kfac_cuda_device_count(&devices);
  std::printf("%s, devices: %d\n", kfac_cuda_build(), devices);
  if (error || devices == 0) {
    std::printf("no usable device: %s\n", kfac_error_string(error));
    return 77;
  }
  int run = 0, failed = 0;
  for (const test::Test& t : test::tests()) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i) wanted |= !std::strncmp(t.name, argv[i], std::strlen(argv[i]));
    if (!wanted) continue;
    test::generator().seed(20240501);
    test::distribution().reset();  // it keeps every second number
    test::failures = 0;
    test::running = t.name;
    t.run();
    std::printf("%s %s\n", test::failures ? "FAIL" : "ok  ", t.name);
    std::fflush(stdout);
    ++run;
    failed += test::failures > 0;
  }
  std::printf("%d run, %d failed\n", run, failed);
  return failed || run == 0;
}
