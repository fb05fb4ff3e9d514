// Index arithmetic without a tensor: offsets and row numbers beyond 2^31.
#include "harness.h"
#include "view.h"
using namespace test;

namespace {

kfac_samples huge(bool nhwc) {
  const long long N = 4096, C = 512, H = 300, W = 200;
  kfac_samples r{};
  r.groups = 4, r.bias = 1;
  r.batch = N, r.channels = C, r.height = H, r.width = W;
  r.batch_stride = C * H * W;
  r.channel_stride = nhwc ? 1 : H * W;
  r.y_stride = nhwc ? W * C : W;
  r.x_stride = nhwc ? C : 1;
  r.kernel_height = 5, r.kernel_width = 3, r.stride_height = 2, r.stride_width = 1;
  r.padding_height = 2, r.padding_width = 4, r.dilation_height = 1, r.dilation_width = 3;
  return r;
}

}  // namespace

TEST(view_offsets_beyond_32_bits) {
  for (bool nhwc : {false, true}) {
    const kfac_samples r = huge(nhwc);
    const kfac::View view(r);
    CHECK(view.out_height == 150 && view.out_width == 202);
    CHECK(view.rows == 4096LL * 150 * 202 && view.columns == 128 * 15 + 1);
    long long beyond = 0;
    for (int sample = 0; sample < 20000; ++sample) {
      const long long b = generator()() % 4096, oy = generator()() % 150, ox = generator()() % 202;
      const int group = int(generator()() % 4), c = int(generator()() % 128), ky = int(generator()() % 5),
                kx = int(generator()() % 3);
      const bool inner = sample % 2;
      const int j = inner ? (ky * 3 + kx) * 128 + c : c * 15 + ky * 3 + kx;
      const kfac::Row row = view.row((b * 150 + oy) * 202 + ox);
      const kfac::Column column = view.column(group, j, inner);
      if (inner) CHECK(view.natural(j) == c * 15 + ky * 3 + kx);
      const long long y = oy * 2 - 2 + ky, x = ox - 4 + kx * 3;
      const bool inside = y >= 0 && y < 300 && x >= 0 && x < 200;
      CHECK(view.inside(row, column) == inside, "%lld %lld", y, x);
      if (!inside) continue;
      const long long channel = group * 128 + c;
      const long long offset =
          nhwc ? ((b * 300 + y) * 200 + x) * 512 + channel : ((b * 512 + channel) * 300 + y) * 200 + x;
      CHECK(row.offset + column.offset == offset, "%lld, expected %lld", row.offset + column.offset, offset);
      beyond += offset > 1LL << 31;
    }
    CHECK(beyond > 5000, "%lld", beyond);
  }
}

TEST(view_sentinels_are_outside) {
  kfac_samples r = huge(false);
  r.width = 100000000, r.padding_width = 8000000;
  const kfac::View view(r);
  CHECK(view.rows > 1LL << 31);
  const kfac::Row first = view.row(0), last = view.row(view.rows - 1), past = view.row(view.rows);
  const kfac::Column bias = view.column(0, view.columns - 1, false), none = view.column(0, view.columns, false);
  CHECK(bias.y == kfac::ONE && none.y == kfac::OUTSIDE && past.y == kfac::OUTSIDE);
  for (const kfac::Row& row : {first, last, past})
    for (const kfac::Column& column : {bias, none}) CHECK(!view.inside(row, column));
  for (int j : {0, 7, view.columns - 2}) CHECK(!view.inside(past, view.column(3, j, false)));
}

TEST(view_triangle_is_exact) {
  for (long long r : {0LL, 1LL, 2LL, 31LL, 46340LL, 46341LL, 65535LL, 65536LL, 1000003LL, (1LL << 30) + 1}) {
    const long long first = kfac::triangle(r);
    CHECK(kfac::triangle_row(first) == r && kfac::triangle_row(first + r) == r, "%lld", r);
    CHECK(r == 0 || kfac::triangle_row(first - 1) == r - 1, "%lld", r);
  }
  for (long long i = 0; i < 5000; ++i) {
    const long long r = kfac::triangle_row(i);
    CHECK(kfac::triangle(r) <= i && i < kfac::triangle(r + 1), "%lld", i);
  }
}
