#include <cstdint>
#include <cstdio>
#include "check.h"

namespace kfac {
namespace {

constexpr long long MAX_ELEMENTS = 1LL << 48;

}  // namespace

char* Checker::detail() {
  static thread_local char text[DETAIL_BYTES] = "";
  return text;
}

void Checker::fail(int status, const char* message, long long value) {
  if (!ok()) return;
  status_ = status;
  if (request_ < 0) std::snprintf(detail(), DETAIL_BYTES, "%s: %s (got %lld)", verb_, message, value);
  else std::snprintf(detail(), DETAIL_BYTES, "%s, request %d: %s (got %lld)", verb_, request_, message, value);
}

void Checker::pointer(const void* p, int element_bytes, const char* name) {
  char message[96];
  const auto address = reinterpret_cast<uintptr_t>(p);
  if (!p) {
    std::snprintf(message, sizeof message, "%s must not be null", name);
    fail(KFAC_INVALID_ARGUMENT, message, 0);
  } else if (address % unsigned(element_bytes)) {
    std::snprintf(message, sizeof message, "%s must be aligned to %d bytes", name, element_bytes);
    fail(KFAC_MISALIGNED, message, (long long)address);
  }
}

void Checker::elements(std::initializer_list<long long> factors, const char* name) {
  long long product = 1;
  for (long long f : factors) {
    if (f > 0 && product > MAX_ELEMENTS / f) {
      char message[96];
      std::snprintf(message, sizeof message, "%s would have more than 2^48 elements", name);
      return fail(KFAC_TOO_LARGE, message, f);
    }
    if (f > 0) product *= f;
  }
}

}  // namespace kfac
