// Shared memory has 32 banks of 4 bytes: how many words of one bank each access of a warp wants, by the real layouts.
// One is free of conflicts; what is more is said here, with the reason.
#include <cstdio>
#include <set>
#include "invert_large.cuh"
#include "invert_small.cuh"
#include "invert_tiled.cuh"
#include "tile_ffma.cuh"

namespace kfac {
namespace {

int failures = 0;

// The most words of a bank that a warp wants at once, where its threads touch `bytes` at at(thread). The hardware takes
// 32 threads at a time, of 8 bytes each 16, of 16 bytes each 8.
template <class At>
int degree(int warp, int bytes, const At& at) {
  const int together = bytes <= 4 ? 32 : 128 / bytes;
  int most = 0;
  for (int first = 0; first < 32; first += together) {
    std::set<uintptr_t> banks[32];
    for (int lane = first; lane < first + together; ++lane) {
      threadIdx = {unsigned(32 * warp + lane), 0, 0};
      const uintptr_t address = reinterpret_cast<uintptr_t>(at(int(threadIdx.x)));
      for (uintptr_t word = address / 4; word <= (address + bytes - 1) / 4; ++word) banks[word % 32].insert(word);
    }
    for (const auto& words : banks) most = std::max(most, int(words.size()));
  }
  return most;
}

// degree must be `expected` at most for all warps.
template <class At>
void check(const char* what, int threads, int bytes, int expected, const At& at) {
  int most = 0;
  for (int warp = 0; warp < threads / 32; ++warp) most = std::max(most, degree(warp, bytes, at));
  if (most == expected) return;
  std::printf("%s: %d words of one bank, expected %d\n", what, most, expected);
  ++failures;
}

// What is fetched along the depth, and across it, goes into panels.
template <class P, class Place>
void panels(const char* what, int bytes, const Place& place) {
  for (int i = 0; i < P::SIDE * P::DEPTH / P::THREADS; ++i) {
    check(what, P::THREADS, bytes, 1,
          [&](int t) { return place(t / P::DEPTH + P::THREADS / P::DEPTH * i, t % P::DEPTH); });
    check(what, P::THREADS, bytes, 1, [&](int) { return place(P::row_across(i), P::k_across(i)); });
  }
}

// Every element of a panel is fetched once.
template <class P>
void covers(const char* what) {
  std::set<std::pair<int, int>> all;
  for (int t = 0; t < P::THREADS; ++t)
    for (int i = 0; i < P::SIDE * P::DEPTH / P::THREADS; ++i) {
      threadIdx = {unsigned(t), 0, 0};
      all.insert({P::row_across(i), P::k_across(i)});
    }
  if (int(all.size()) == P::SIDE * P::DEPTH && all.rbegin()->first == P::SIDE - 1) return;
  std::printf("%s: not all elements are fetched\n", what);
  ++failures;
}

void ffma_panels() {
  using P = Ffma<64>;
  static P::Panel panel;
  covers<P>("Ffma");
  panels<P>("Ffma", 4, [&](int row, int k) { return &panel.at[k][row]; });
  check("Ffma, left", P::THREADS, 4, 1, [&](int t) { return &panel.at[3][t / 16]; });
  check("Ffma, right", P::THREADS, 4, 1, [&](int t) { return &panel.at[3][t % 16]; });
}

void small() {
  static SmallShared all[SMALL_WARPS];
  for (int part = 0; part < 2; ++part)
    // rows are read by all at once; they are stored in two halves, a bank apart from its neighbour's
    check("inverses, 32", 32 * SMALL_WARPS, 16, 2,
          [&](int t) { return reinterpret_cast<char*>(&all[t / 32].rows[t % 32]) + 16 * part; });
}

template <class Team>
void tiled(const char* what) {
  static typename Team::AllShared all;
  const auto each = [&](int bytes, const auto& at) {
    check(what, Team::THREADS * Team::TEAMS, bytes, 1, [&](int t) {
      const int thread = t % Team::THREADS;
      return at(all[t / Team::THREADS], thread / Team::COLUMNS, thread % Team::COLUMNS, thread);
    });
  };
  each(16, [](auto& shared, int, int, int thread) { return &shared.panel[thread]; });
  each(16, [](auto& shared, int r, int, int) { return &shared.z[r]; });
  each(16, [](auto& shared, int, int c, int) { return &shared.z[c]; });
  // the threads that hold none of the four pivots store nothing
  each(4, [](auto& shared, int r, int c, int) { return &(&shared.panel[r].x)[c % 4]; });
  each(4, [](auto& shared, int r, int c, int) { return &(&shared.panel[c].x)[r % 4]; });
}

void large() {
  static FactorShared factor;
  static PanelShared panel;
  static MirrorShared mirrored;
  for (int i = 0; i < PIVOT; ++i) {
    check("staged, as it lies", PIVOT, 4, 1, [&](int t) { return &factor.staged[i][t]; });
    check("staged, symmetric", PIVOT, 4, 1, [&](int t) { return &factor.staged[std::max(i, t)][std::min(i, t)]; });
    check("staged, by rows", PIVOT, 4, 1, [&](int t) { return &panel.staged[t][i]; });
  }
  check("factor, rows of z", PIVOT, 16, 1, [&](int t) { return &factor.rows[t]; });
  check("panel, factor", PIVOT, 16, 1, [&](int t) { return &panel.lower[t / (PIVOT / 4)][t % (PIVOT / 4)]; });
  for (int y = 0; y < MIRROR; ++y) {
    check("mirror", 32, 4, 1, [&](int t) { return &mirrored.at[y][t]; });
    check("mirror, across", 32, 4, 1, [&](int t) { return &mirrored.at[t][y]; });
  }
}

}  // namespace
}  // namespace kfac

int main() {
  using namespace kfac;
  ffma_panels();
  small();
  tiled<TiledTeam<64>>("inverses, 64");
  tiled<TiledTeam<128>>("inverses, 128");
  large();
  std::printf("%d failed\n", failures);
  return failures > 0;
}
