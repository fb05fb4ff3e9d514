// A small test harness: named tests, random data, comparison with fp64.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>
#include "kfac_cpu.h"

namespace test {

inline int failures = 0;

struct Register {
  Register(const char* name, void (*run)());
};

void expect(bool condition, const std::string& what);

/// Frobenius norm of the difference over that of the expected values.
inline double error(const std::vector<float>& actual, const std::vector<double>& expected) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

inline std::vector<float> gaussian(std::mt19937& random, size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

}  // namespace test

#define KFAC_TEST(name)                                     \
  static void name();                                       \
  static const test::Register register_##name(#name, name); \
  static void name()
