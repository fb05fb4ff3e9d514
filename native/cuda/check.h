// Argument checks of the C interface. The first fault wins; its description is kept for kfac_error_detail().
#pragma once
#include <initializer_list>
#include "kfac_cuda.h"

namespace kfac {

class Checker {
 public:
  explicit Checker(const char* verb) : verb_(verb) { *detail() = 0; }

  int status() const { return status_; }
  bool ok() const { return status_ == KFAC_OK; }
  void request(int number) { request_ = number; }

  void fail(int status, const char* message, long long value);
  void require(bool condition, const char* message, long long value) {
    if (!condition) fail(KFAC_INVALID_ARGUMENT, message, value);
  }
  // A device pointer to elements of this size.
  void pointer(const void* p, int element_bytes, const char* name);
  // Every number of elements that gets addressed.
  void elements(std::initializer_list<long long> factors, const char* name);

  static constexpr int DETAIL_BYTES = 256;
  static char* detail();  // of this thread

 private:
  const char* verb_;
  int request_ = -1, status_ = KFAC_OK;
};

void check(Checker& c, const kfac_samples& samples);
void check(Checker& c, const kfac_patches_request& q);
void check(Checker& c, const kfac_accumulate_request& q);
void check(Checker& c, const kfac_invert_request& q);
void check(Checker& c, const kfac_inverse_error_request& q);
void check(Checker& c, const kfac_jacobi_request& q);
void check(Checker& c, const kfac_eigen_check_request& q);
void check(Checker& c, const kfac_eigen_store_request& q);
void check(Checker& c, const kfac_convert_request& q);
void check(Checker& c, const kfac_damp_request& q);
void check(Checker& c, const kfac_mirror_request& q);
void check(Checker& c, const kfac_precondition_request& q);
void check(Checker& c, const kfac_divide_request& q);
void check(Checker& c, const kfac_squares_request& q);
void check(Checker& c, const kfac_upload_request& q);
void check(Checker& c, const kfac_scale_request& q);
void check(Checker& c, const kfac_traces_request& q);
void check(Checker& c, const kfac_squared_norms_request& q);
void check(Checker& c, const kfac_first_non_finite_request& q);
void check(Checker& c, const kfac_largest_request& q);

}  // namespace kfac
