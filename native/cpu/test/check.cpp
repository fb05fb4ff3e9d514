#include "check.h"

namespace test {

struct Test {
  const char* name;
  void (*run)();
};

static std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

Register::Register(const char* name, void (*run)()) { tests().push_back({name, run}); }

void expect(bool condition, const std::string& what) {
  if (!condition && ++failures <= 20) std::printf("  wrong: %s\n", what.c_str());
}

}  // namespace test

int main() {
  std::printf("instructions: %s\n", kfac_cpu_instructions());
  for (const test::Test& each : test::tests()) {
    int before = test::failures;
    each.run();
    std::printf("%s %s\n", test::failures == before ? "ok    " : "FAILED", each.name);
  }
  return test::failures ? 1 : 0;
}
