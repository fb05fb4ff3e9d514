package io.github.kfac4j.benchmarks.run;

import io.github.kfac4j.benchmarks.cases.Case;
import java.util.ArrayList;
import java.util.List;

/** Two contenders in turn on one case: ours first in one pair, the peer first in the next. */
public final class Duel {
  private final Case c;
  private final long seed;
  private final int pairs;

  /** A duel of so many pairs. */
  public Duel(Case c, long seed, int pairs) {
    this.c = c;
    this.seed = seed;
    this.pairs = pairs;
  }

  /**
   * Measures.
   *
   * @param ours ours, prepared
   * @param peer null to measure ours alone
   * @return null if the peer has no way to do the case
   * @throws IllegalStateException if a result is wrong
   */
  public Pairs run(String ourName, Work ours, Contender peer) {
    if (peer == null) {
      return alone(ourName, ours);
    }
    try (Work other = peer.prepare(c, seed)) {
      return other == null ? null : between(ourName, ours, peer.name(), other);
    }
  }

  private Pairs alone(String name, Work work) {
    Double error = error(name, work);
    Sampler sampler = new Sampler(work);
    List<Double> seconds = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      seconds.add(sampler.sample());
    }
    return new Pairs(name, null, seconds, null, null, error, null, null, work.parts(), null);
  }

  private Pairs between(String ourName, Work ours, String peerName, Work peer) {
    Double ourError = error(ourName, ours);
    Double peerError = error(peerName, peer);
    Sampler ourSampler = new Sampler(ours);
    Sampler peerSampler = new Sampler(peer);
    List<Double> ourSeconds = new ArrayList<>();
    List<Double> peerSeconds = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      if (i % 2 == 0) {
        ourSeconds.add(ourSampler.sample());
        peerSeconds.add(peerSampler.sample());
      } else {
        peerSeconds.add(peerSampler.sample());
        ourSeconds.add(ourSampler.sample());
      }
    }
    return new Pairs(
        ourName,
        peerName,
        ourSeconds,
        peerSeconds,
        peer.share(),
        ourError,
        peerError,
        c.targets() == null ? null : c.targets().get(peerName),
        ours.parts(),
        peer.parts());
  }

  private Double error(String name, Work work) {
    if (!Oracle.judges(c, work)) {
      return null;
    }
    work.run();
    return Oracle.require(name, c, seed, work);
  }
}
