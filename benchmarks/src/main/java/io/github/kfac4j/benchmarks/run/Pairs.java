package io.github.kfac4j.benchmarks.run;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Two contenders measured in turn on the same case.
 *
 * @param own ours
 * @param peer the other; null where only ours was measured
 * @param ownSeconds raw samples of ours, per call
 * @param peerSeconds raw samples of the other, per call of the whole case, null without peer
 * @param peerShare how much of the case the peer did in a call, its times scaled accordingly
 * @param ownError ours against the fp64 reference, relative
 * @param peerError the peer's, null if it was not judged
 * @param target the ratio aimed at, null if there is none
 * @param ownParts seconds by verb in ours, empty if it has no parts
 * @param peerParts likewise
 * @param ownBusy the share of all cores' time that ours used, of threads that wait busily too; null
 *     if not measured
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Pairs(
    String own,
    String peer,
    List<Double> ownSeconds,
    List<Double> peerSeconds,
    Double peerShare,
    Double ownError,
    Double peerError,
    Double target,
    Map<String, Double> ownParts,
    Map<String, Double> peerParts,
    Double ownBusy) {

  /** How many times as long the peer took, pair by pair, ascending. */
  @JsonIgnore
  public double[] ratios() {
    return IntStream.range(0, peerSeconds.size())
        .mapToDouble(i -> peerSeconds.get(i) / ownSeconds.get(i))
        .sorted()
        .toArray();
  }

  /** The median of the ratios. */
  @JsonIgnore
  public double ratio() {
    return median(ratios());
  }

  /** The middle of samples, or the mean of the middle two. */
  public static double median(double... samples) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** The median of samples. */
  public static double median(List<Double> samples) {
    return median(samples.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
