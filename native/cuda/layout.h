// Where the samples of a request lie when the product loop takes them: in planes that are made of them, or in place.
#pragma once
#include "planes.cuh"
#include "shifts.h"
#include "tokens.cuh"

namespace kfac {
namespace {

// How the samples of a request lie in planes.
struct Layout {
  View view;  // whose rows are those of the planes
  Tokens tokens;
  Columns columns;
  Reads reads;
  int width, one;   // of a row, padded to a multiple of eight; the column that is 1, or -1
  long long pitch;  // numbers from one row to the next
  bool direct;      // the samples are planes themselves
  bool shifts;      // these are pixels, of which shifts.h makes the moment

  // Whether columns meet that lie in different rows.
  bool shifted() const { return columns.width != 0 || shifts; }
};

constexpr long long MAX_ROWS = 1 << 30;
constexpr long long MAX_PATCH_BYTES = 2LL << 30;

// Samples of 16 bits whose pixels lie one after another, and begin and end where copies do.
inline bool direct(const kfac_samples& s, const View& view, Layout& layout) {
  const bool matrix = s.height == 1 && s.width == 1;
  layout.pitch = matrix ? s.batch_stride : s.x_stride;
  const bool dense = matrix || (s.y_stride == s.width * s.x_stride && s.batch_stride == s.height * s.y_stride);
  if (s.dtype == KFAC_F32 || s.bias || s.padding_height || s.padding_width || s.channel_stride != 1 || !dense ||
      view.channels % 8 || layout.pitch % 8 || layout.pitch > (1 << 28) || reinterpret_cast<uintptr_t>(s.data) % 16)
    return false;
  const bool plain = view.taps() == 1 && view.out_height == s.height && view.out_width == s.width;
  const int line = int(s.width);
  layout.tokens = plain ? Tokens::plain(int(view.rows)) : Tokens::window(view, line, line * int(s.height), TOKEN_STEP);
  layout.columns = plain ? Columns::plain(view.columns) : Columns::taps_of(view, view.channels, line, 0);
  return true;
}

// The same with a kernel of one.
inline kfac_samples pixels_of(kfac_samples s) {
  s.kernel_height = s.kernel_width = s.stride_height = s.stride_width = s.dilation_height = s.dilation_width = 1;
  return s;
}

inline Layout layout_of_patches(const kfac_samples& s) {
  const View view(s);
  Layout layout{};
  layout.view = view;
  layout.direct = direct(s, view, layout);
  if (layout.direct) return layout;
  layout.reads = s.channel_stride == 1 ? Reads::CHANNELS : Reads::PIXELS;
  const int channels = up(view.channels, 8);
  if (view.taps() > 1 && 2 * channels <= 3 * view.channels) {  // else padding costs more than patches that are stored
    layout.view = View(pixels_of(s));
    layout.width = channels + (s.bias ? 8 : 0);
    layout.one = s.bias ? channels : -1;
    const int line = layout.view.out_width;
    layout.tokens = Tokens::window(view, line, line * layout.view.out_height, TOKEN_STEP);
    layout.columns = Columns::taps_of(view, channels, line, s.bias ? 8 : 0);
  } else {
    if (view.taps() > 1) layout.reads = Reads::PATCHES;
    layout.width = up(view.columns, 8);
    layout.one = s.bias ? view.columns - 1 : -1;
    layout.tokens = Tokens::plain(int(view.rows));
    layout.columns = Columns::plain(view.columns);
  }
  layout.pitch = up(layout.width, 16);  // whole sectors of memory
  return layout;
}

inline Layout layout_of(const kfac_samples& s) {
  if (!by_shifts(s)) return layout_of_patches(s);
  kfac_samples pixels = pixels_of(s);
  pixels.padding_height = pixels.padding_width = 0;
  Layout layout = layout_of_patches(pixels);
  layout.shifts = true;
  return layout;
}

}  // namespace
}  // namespace kfac
