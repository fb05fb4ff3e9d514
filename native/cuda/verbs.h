// The verbs behind the C interface: each plans the work of valid requests (api.cpp has checked them).
#pragma once
#include "kfac_cuda.h"

namespace kfac {

class Plan;

void patches(const kfac_patches_request* requests, int count, Plan& plan);
void accumulate(const kfac_accumulate_request* requests, int count, int math, Plan& plan);
void invert(const kfac_invert_request* requests, int count, int math, Plan& plan);
void inverse_error(const kfac_inverse_error_request* requests, int count, Plan& plan);
void jacobi(const kfac_jacobi_request* requests, int count, Plan& plan);
void eigen_check(const kfac_eigen_check_request* requests, int count, Plan& plan);
void eigen_store(const kfac_eigen_store_request* requests, int count, Plan& plan);
void convert(const kfac_convert_request* requests, int count, Plan& plan);
void damp(const kfac_damp_request* requests, int count, Plan& plan);
void mirror(const kfac_mirror_request* requests, int count, Plan& plan);
void precondition(const kfac_precondition_request* requests, int count, int math, Plan& plan);
void divide(const kfac_divide_request* requests, int count, Plan& plan);
void squares(const kfac_squares_request* requests, int count, Plan& plan);
void upload(const kfac_upload_request* requests, int count, Plan& plan);
void scale(const kfac_scale_request* requests, int count, Plan& plan);
void traces(const kfac_traces_request* requests, int count, Plan& plan);
void squared_norms(const kfac_squared_norms_request* requests, int count, Plan& plan);
void largest(const kfac_largest_request* requests, int count, Plan& plan);
void first_non_finite(const kfac_first_non_finite_request* requests, int count, Plan& plan);

}  // namespace kfac
