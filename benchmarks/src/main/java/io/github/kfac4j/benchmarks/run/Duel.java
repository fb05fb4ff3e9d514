package io.github.kfac4j.benchmarks.run;

import io.github.kfac4j.benchmarks.cases.Case;
import java.util.ArrayList;
import java.util.List;

/** Ours and its peers in turn on one case: ours first in one pair, the peer first in the next. */
public final class Duel {
  private final Case c;
  private final long seed;
  private final int pairs;
  private final String ourName;
  private final Work ours;
  private final Double ourError;
  private final Sampler ourSampler;

  /**
   * A number of pairs with each peer.
   *
   * @param ours prepared; run and checked here
   * @throws IllegalStateException if its result is wrong
   */
  public Duel(Case c, long seed, int pairs, String ourName, Work ours) {
    this.c = c;
    this.seed = seed;
    this.pairs = pairs;
    this.ourName = ourName;
    this.ours = ours;
    this.ourError = error(ourName, ours);
    this.ourSampler = new Sampler(ours);
  }

  /**
   * Measures ours and a peer.
   *
   * @return null if the peer has no way to do the case
   * @throws IllegalStateException if its result is wrong
   */
  public Pairs with(Contender peer) {
    try (Work other = peer.prepare(c, seed)) {
      return other == null ? null : between(peer, other);
    }
  }

  /** Measures ours alone. */
  public Pairs alone() {
    List<Double> seconds = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      seconds.add(ourSampler.sample(0));
    }
    return new Pairs(
        ourName,
        null,
        seconds,
        null,
        null,
        ourError,
        null,
        null,
        ours.parts(),
        null,
        ours.coresBusy());
  }

  private Pairs between(Contender contender, Work peer) {
    String peerName = contender.name();
    long settle = contender.settleMillis();
    Double peerError = error(peerName, peer);
    Sampler peerSampler = new Sampler(peer);
    List<Double> ourSeconds = new ArrayList<>();
    List<Double> peerSeconds = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      if (i % 2 == 0) {
        ourSeconds.add(ourSampler.sample(settle));
        peerSeconds.add(peerSampler.sample(settle));
      } else {
        peerSeconds.add(peerSampler.sample(settle));
        ourSeconds.add(ourSampler.sample(settle));
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
        peer.parts(),
        ours.coresBusy());
  }

  private Double error(String name, Work work) {
    if (!Reference.judges(c, work)) {
      return null;
    }
    work.run();
    return Reference.require(name, c, seed, work);
  }
}
