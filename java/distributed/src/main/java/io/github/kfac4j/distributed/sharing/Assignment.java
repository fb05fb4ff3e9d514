package io.github.kfac4j.distributed.sharing;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Which rank inverts which layer, and which ranks keep its inverses and precondition with them. A
 * pure function of its arguments, so that all ranks find the same without communication.
 *
 * <p>Seven layers a to g, of costs 8 1 1 4 1 2 3, on three ranks:
 *
 * <pre>
 *            rank 0      rank 1      rank 2      longest
 * contiguous a b c (10)  d e (5)     f g (5)     10
 * roundRobin a d g (15)  b e (2)     c f (3)     15
 * balanced   a (8)       d b c (6)   g f e (6)    8
 * </pre>
 *
 * <p>Workers (KAISA, Pauloski et al. 2021): with {@code w} workers a layer, ranks form a grid of w
 * rows. The owner of a layer inverts it and hands the inverses to its column; each rank of that
 * column preconditions and hands the result to its row. Six ranks, two workers, the layers of rank
 * 4 marked:
 *
 * <pre>
 *   0 [1] 2      rank 1 preconditions for 0 and 2
 *   3 [4] 5      rank 4 inverts, and preconditions for 3 and 5
 * </pre>
 *
 * <p>One worker is optimal in memory: only the owner has the inverses, and preconditioned gradients
 * are sent at every step. As many workers as ranks is optimal in communication: inverses are sent
 * to all when they are renewed, preconditioned gradients never.
 *
 * @param ranks the number of ranks
 * @param workers ranks that precondition each layer; divides the number of ranks
 * @param owners the rank that inverts each layer, in the order of the layers
 */
public record Assignment(int ranks, int workers, Map<String, Integer> owners) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming what does not fit
   */
  public Assignment {
    if (ranks < 1) {
      throw new IllegalArgumentException("ranks must be positive but are " + ranks);
    }
    if (workers < 1 || ranks % workers != 0) {
      throw new IllegalArgumentException(
          "%d workers a layer do not divide %d ranks".formatted(workers, ranks));
    }
    int limit = ranks;
    owners.forEach(
        (layer, owner) -> {
          if (owner < 0 || owner >= limit) {
            throw new IllegalArgumentException(
                "layer '%s': its owner, rank %d, is not one of %d".formatted(layer, owner, limit));
          }
        });
    owners = Collections.unmodifiableMap(new LinkedHashMap<>(owners));
  }

  /** Runs of layers that differ in number by one at most, the longer ones first (Osawa et al.). */
  public static Assignment contiguous(List<LayerCost> layers, int ranks) {
    int[] owners = new int[layers.size()];
    int next = 0;
    for (int rank = 0; rank < ranks; rank++) {
      int count = layers.size() / ranks + (rank < layers.size() % ranks ? 1 : 0);
      Arrays.fill(owners, next, next + count, rank);
      next += count;
    }
    return of(layers, ranks, owners);
  }

  /** Layer i to rank i modulo the number of ranks. */
  public static Assignment roundRobin(List<LayerCost> layers, int ranks) {
    return of(layers, ranks, IntStream.range(0, layers.size()).map(i -> i % ranks).toArray());
  }

  /**
   * The most expensive layer that is left goes to the rank with the least to do: longest processing
   * time first, at most 4/3 - 1/(3 ranks) of the shortest possible time (Graham 1969). Ties go to
   * the earlier layer and the lower rank.
   */
  public static Assignment balanced(List<LayerCost> layers, int ranks) {
    int[] owners = new int[layers.size()];
    double[] load = new double[ranks];
    List<Integer> order = new ArrayList<>(IntStream.range(0, owners.length).boxed().toList());
    order.sort(Comparator.comparingDouble((Integer i) -> -layers.get(i).cost()));
    for (int layer : order) {
      int least = 0;
      for (int rank = 1; rank < ranks; rank++) {
        least = load[rank] < load[least] ? rank : least;
      }
      owners[layer] = least;
      load[least] += layers.get(layer).cost();
    }
    return of(layers, ranks, owners);
  }

  private static Assignment of(List<LayerCost> layers, int ranks, int[] owners) {
    Map<String, Integer> byName = new LinkedHashMap<>();
    for (int i = 0; i < owners.length; i++) {
      byName.put(layers.get(i).layer(), owners[i]);
    }
    return new Assignment(ranks, 1, byName);
  }

  /**
   * With more workers a layer.
   *
   * @param fraction of the ranks that precondition each layer, in [0, 1]: 0 is optimal in memory, 1
   *     in communication. The next number of workers above that divides the ranks is taken
   */
  public Assignment withWorkerFraction(double fraction) {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new IllegalArgumentException("worker fraction must be in [0, 1] but is " + fraction);
    }
    int count = (int) Math.max(1, Math.ceil(fraction * ranks - 1e-9));
    while (ranks % count != 0) {
      count++;
    }
    return new Assignment(ranks, count, owners);
  }

  /** The same, with one worker a layer, in a job in which a number of other ranks come first. */
  public Assignment behind(int others) {
    Map<String, Integer> moved = new LinkedHashMap<>(owners);
    moved.replaceAll((layer, owner) -> owner + others);
    return new Assignment(ranks + others, 1, moved);
  }

  /** The rank that inverts a layer. */
  public int owner(String layer) {
    return owners.get(layer);
  }

  /** The layers that a rank inverts. */
  public List<String> owned(int rank) {
    return owners.keySet().stream().filter(layer -> owners.get(layer) == rank).toList();
  }

  /** The rank that preconditions a layer for the given rank: itself if it is a worker. */
  public int worker(String layer, int rank) {
    return worker(owner(layer), rank);
  }

  /** The same for all layers that rank {@code owner} inverts. */
  public int worker(int owner, int rank) {
    int columns = ranks / workers;
    return rank / columns * columns + owner % columns;
  }

  /** Whether a rank keeps a layer's inverses and preconditions with them. */
  public boolean isWorker(String layer, int rank) {
    return worker(layer, rank) == rank;
  }

  /** The cost of the inversions of the busiest rank. */
  public double longest(List<LayerCost> layers) {
    double[] load = new double[ranks];
    for (LayerCost layer : layers) {
      load[owner(layer.layer())] += layer.cost();
    }
    return Arrays.stream(load).max().orElse(0);
  }
}
