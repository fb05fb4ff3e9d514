// Tensor-core instructions. Everything that is PTX stands here.
#pragma once
#include "number.cuh"

namespace kfac {

#ifdef CUDA_EMU
using SharedAddress = uintptr_t;
inline SharedAddress shared_address(const void* p) { return reinterpret_cast<uintptr_t>(p); }
inline SharedAddress opaque(SharedAddress address) { return address; }
#else
using SharedAddress = uint32_t;
__device__ __forceinline__ SharedAddress shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}
#endif

// Loads the four 8 x 8 quarters (of 16-bit elements) of a 16 x 16 block into a fragment, each transposed.
// Lane l passes the address of row l % 8 of quarter l / 8; rows are 16-byte aligned.
__device__ __forceinline__ void load_transposed(uint32_t (&fragment)[4], SharedAddress row) {
#ifdef CUDA_EMU
  emu::load_matrix(fragment, row);
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(row)
               : "memory");
#endif
}

// Copies sixteen bytes while the thread goes on, or zeros if they are not wanted; from is not read then.
__device__ __forceinline__ void copy_async(SharedAddress to, const void* from, bool wanted) {
#ifdef CUDA_EMU
  emu::AsyncCopies::self().issue(to, from, wanted);
#else
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(wanted ? 16 : 0) : "memory");
#endif
}
// The copies since the last one are a group.
__device__ __forceinline__ void commit_copies() {
#ifdef CUDA_EMU
  emu::AsyncCopies::self().commit();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// Until all groups but the last PENDING have arrived; a barrier then shows them to the block.
template <int PENDING>
__device__ __forceinline__ void wait_copies() {
#ifdef CUDA_EMU
  emu::AsyncCopies::self().wait(PENDING);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#endif
}

// sum[16 x 8] += a[16 x 16] b[8 x 16]'
__device__ __forceinline__ void mma(Half, float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef CUDA_EMU
  emu::mma(sum, a, b, emu::half_value);
#else
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}
__device__ __forceinline__ void mma(Bfloat, float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef CUDA_EMU
  emu::mma(sum, a, b, emu::bfloat_value);
#else
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

}  // namespace kfac
