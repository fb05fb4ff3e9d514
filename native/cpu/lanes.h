// Second moments of many narrow groups, as of depthwise convolutions: one group in each lane of a vector. The images of
// Q groups are packed position by position with zeros around them, and every kernel position is an offset.
#pragma once
#include "images.h"

namespace kfac::KFAC_ISA {

struct LanesPlan : Plan {
  static constexpr int T = 3;              // coordinates of either side of a tile of T * T sums
  static constexpr int RUN = 512;          // positions that are added before the sums leave the registers
  static constexpr int PACKED = 1 << 15;   // doubles that are packed at a time
  static constexpr int TASKS = 64;         // aimed at
  static constexpr double LEAST = 4e6;     // multiplications of a task
  static constexpr double SUMS = 1 << 20;  // doubles of all sums

  AccumulateRequest request;
  kfac_cpu_patch_samples groups;  // as channels
  Axis rows, columns;
  int features, blocks, vectors;
  int width;        // of a packed row
  int band, bands;  // output rows that are packed together; how many such bands in all
  int slices;

  static constexpr double SMALL = 1 << 21;  // doubles of scratch that are not worth a thought
  static constexpr double SPREAD = 4;       // times the image that its zeros may make of it

  /// Whether the zeros around the images, as many as padding and dilation say, leave them their size.
  static bool fits(const kfac_cpu_patch_samples& c) {
    double width = (double)c.width + 2 * c.padding_width, row = (double)c.dilation_height * (c.kernel_height - 1) + 1;
    double image = (double)c.height * c.width;
    return width * row * Q * c.channels <= SMALL || width * row <= SPREAD * image;
  }

  explicit LanesPlan(const AccumulateRequest& request)
      : request(request), groups(request.conv), rows(Axis::rows(groups)), columns(Axis::columns(groups)),
        features((int)groups.channels * rows.kernel * columns.kernel), blocks((features + T - 1) / T),
        vectors(((int)groups.groups + Q - 1) / Q) {
    groups.channels = request.conv.groups;
    groups.channel_stride *= request.conv.channels;
    width = (columns.outputs() - 1) * columns.stride + (columns.kernel - 1) * columns.dilation + 1;
    int most_rows = (int)(PACKED / ((int64_t)width * Q * request.conv.channels));
    band = most(1, least(rows.outputs(), (most_rows - (rows.kernel - 1) * rows.dilation - 1) / rows.stride + 1));
    bands = (int)groups.examples * per_image();
    double all = (double)vectors * sum_doubles(), work = (double)bands * band * columns.outputs() * all,
           count = TASKS / vectors;
    if (count > work / LEAST) count = work / LEAST;
    if (count > SUMS / all) count = SUMS / all;
    slices = most(1, least(bands, (int)count));
  }

  int per_image() const { return (rows.outputs() + band - 1) / band; }
  int height(int outputs) const { return (outputs - 1) * rows.stride + (rows.kernel - 1) * rows.dilation + 1; }
  size_t plane() const { return (size_t)height(band) * width * Q; }
  int tiles() const { return blocks * (blocks + 1) / 2; }
  size_t sum_doubles() const { return ((size_t)tiles() * T * T + blocks * T) * Q; }  // of products, then of coordinates
  int dim() const { return features + (int)request.conv.bias; }

  // Phases: sums; then those of all slices together.
  int phases() const override { return 2; }
  int tasks(int phase) const override { return vectors * (phase == 0 ? slices : 1); }
  size_t shared_floats() const override { return 2 * (size_t)vectors * slices * sum_doubles(); }
  size_t scratch_floats() const override { return 2 * (size_t)request.conv.channels * plane() + blocks * T; }

  void run(int phase, int task, float* shared, float* scratch) const override {
    double *all = (double*)shared, *packed = (double*)scratch;
    if (phase == 1) return finish(task, all + (size_t)task * slices * sum_doubles());
    int vector = task / slices, slice = task % slices;
    double* sums = all + (size_t)task * sum_doubles();
    int* offsets = (int*)(packed + request.conv.channels * plane());
    for (int i = 0; i < blocks * T; i++) offsets[i] = offset(least(i, features - 1));
    memset(sums, 0, sizeof(double) * sum_doubles());
    int from = (int)((int64_t)bands * slice / slices), to = (int)((int64_t)bands * (slice + 1) / slices);
    for (int b = from; b < to; b++) {
      int first = b % per_image() * band, count = least(band, rows.outputs() - first);
      const float* image = request.images + b / per_image() * groups.example_stride;
      for (int i = 0; i < request.conv.channels; i++) {
        pack(image + i * request.conv.channel_stride, vector * Q, first * rows.stride - rows.padding, height(count),
             packed + i * plane());
      }
      int run = most(1, RUN / columns.outputs());
      for (int r = 0; r < count; r += run) {
        add(packed + (size_t)r * rows.stride * width * Q, least(run, count - r), offsets, sums);
      }
    }
  }

  /// Where a coordinate lies from the first one on.
  int offset(int coordinate) const {
    int u = coordinate / columns.kernel % rows.kernel, v = coordinate % columns.kernel;
    return coordinate / (rows.kernel * columns.kernel) * (int)plane() +
           (u * rows.dilation * width + v * columns.dilation) * Q;
  }

  /// Packs rows [y, y + count) of Q groups.
  void pack(const float* image, int group, int y, int count, double* out) const {
    for (int end = y + count; y < end; y++, out += width * Q) {
      bool inside = y >= 0 && y < rows.size;
      int left = inside ? least(width, columns.padding) : width,
          pixels = inside ? least(columns.size, width - left) : 0;
      memset(out, 0, sizeof(double) * left * Q);
      if (groups.position_stride == 1 || groups.channel_stride == 1) {
        pack_positions(groups, image, group, y * columns.size, pixels, out + left * Q);
      } else {
        for (int x = 0; x < pixels; x++) pack_pixel(image, group, y * columns.size + x, out + (left + x) * Q);
      }
      memset(out + (left + pixels) * Q, 0, sizeof(double) * (width - left - pixels) * Q);
    }
  }

  void pack_pixel(const float* image, int group, int position, double* out) const {
    const float* from = image + group * groups.channel_stride + position * groups.position_stride;
    for (int k = 0; k < Q; k++) out[k] = group + k < groups.channels ? from[k * groups.channel_stride] : 0;
  }

  /// Adds some rows of outputs to all sums.
  void add(const double* packed, int count, const int* offsets, double* sums) const {
    double* ones = sums + (size_t)tiles() * T * T * Q;
    for (int i = 0; i < blocks; i++) {
      for (int j = 0; j <= i; j++, sums += T * T * Q) {
        for (int half = 0; half < Q; half += D) {
          if (i == j && request.conv.bias) add_ones(packed + half, count, offsets + i * T, ones + i * T * Q + half);
          add_tile(packed + half, count, offsets + i * T, offsets + j * T, sums + half);
        }
      }
    }
  }

  void add_tile(const double* packed, int count, const int* left, const int* right, double* sums) const {
    vd s[T][T] = {};
    ptrdiff_t a[T], b[T];
    for (int i = 0; i < T; i++) {
      a[i] = left[i];
      b[i] = right[i];
    }
    int outputs = columns.outputs(), step = columns.stride * Q;
    for (int r = 0; r < count; r++, packed += rows.stride * width * Q) {
      const double* x = packed;
      for (int k = 0; k < outputs; k++, x += step) {
        vd y[T];
#pragma GCC unroll 4
        for (int j = 0; j < T; j++) y[j] = load(x + b[j]);
#pragma GCC unroll 4
        for (int i = 0; i < T; i++) {
          vd z = load(x + a[i]);
#pragma GCC unroll 4
          for (int j = 0; j < T; j++) s[i][j] += z * y[j];
        }
      }
    }
    for (int i = 0; i < T; i++) {
      for (int j = 0; j < T; j++) kfac::KFAC_ISA::add(sums + (i * T + j) * Q, s[i][j]);
    }
  }

  void add_ones(const double* packed, int count, const int* offsets, double* sums) const {
    for (int i = 0; i < T; i++) {
      vd sum = {};
      for (int r = 0; r < count; r++) {
        const double* x = packed + (ptrdiff_t)r * rows.stride * width * Q + offsets[i];
        for (int k = 0; k < columns.outputs(); k++, x += columns.stride * Q) sum += load(x);
      }
      kfac::KFAC_ISA::add(sums + i * Q, sum);
    }
  }

  /// The matrices of Q groups from the sums of all slices.
  void finish(int vector, const double* sums) const {
    const double* ones = sums + (size_t)tiles() * T * T * Q;
    for (int i = 0; i < features; i++) {
      for (int j = 0; j <= i; j++) {
        int tile = i / T * (i / T + 1) / 2 + j / T;
        put(vector, i, j, sums + ((size_t)tile * T * T + i % T * T + j % T) * Q);
      }
    }
    if (!request.conv.bias) return;
    for (int i = 0; i < features; i++) put(vector, features, i, ones + (size_t)i * Q);
    double patches = (double)groups.examples * rows.outputs() * columns.outputs();
    for (int k = 0; k < count(vector); k++) set(vector * Q + k, features, features, request.weight * patches);
  }

  int count(int vector) const { return least(Q, (int)groups.channels - vector * Q); }

  void put(int vector, int i, int j, const double* sums) const {
    alignas(64) double weighted[Q];
    for (int half = 0; half < Q; half += D) {
      vd sum = load(sums + half);
      for (int s = 1; s < slices; s++) sum += load(sums + s * sum_doubles() + half);
      store(weighted + half, sum * request.weight);
    }
    for (int k = 0; k < count(vector); k++) set(vector * Q + k, i, j, weighted[k]);
  }

  void set(int group, int i, int j, double weighted) const {
    float *matrix = request.target + (ptrdiff_t)group * dim() * dim(), *at = matrix + (ptrdiff_t)i * dim() + j;
    *at = (float)(request.decay == 0 ? weighted : request.decay * *at + weighted);
    matrix[(ptrdiff_t)j * dim() + i] = *at;
  }
};

}  // namespace kfac::KFAC_ISA
