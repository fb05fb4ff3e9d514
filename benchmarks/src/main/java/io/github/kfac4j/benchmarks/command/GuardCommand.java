package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.peers.OwnContenders;
import io.github.kfac4j.benchmarks.peers.Peers;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Duel;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Ratios against plain LAPACK in one run: they say whether something has become slow. */
@Command(
    name = "guard",
    mixinStandardHelpOptions = true,
    description =
        "Ratios against plain LAPACK (OpenBLAS: ssyrk, spotrf and spotri, sgemm) in the same run, in"
            + " about half a minute. They inform; nothing fails.")
final class GuardCommand implements Runnable {
  private static final List<String> CASES =
      List.of(
          "dense-factor 1024 x 1024",
          "inverse n=64",
          "inverse n=256",
          "inverse n=576",
          "inverse n=1152",
          "inverse 1000 x 32",
          "precondition 256 x 1152");

  private static final long SEED = 1;

  @Option(
      names = "--pairs",
      defaultValue = "7",
      description = "pairs of measurements; default: ${DEFAULT-VALUE}")
  private int pairs;

  @Option(names = "--threads", description = "for both; default: all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Override
  public void run() {
    System.out.printf("%-28s %12s %12s %8s%n", "", "cpu, ms", "LAPACK, ms", "ratio");
    try (Contender ours = OwnContenders.open("cpu", threads);
        Contender lapack = Peers.open("openblas", threads)) {
      for (String id : CASES) {
        Case c = Cases.byId(id);
        try (Work work = ours.prepare(c, SEED)) {
          print(id, new Duel(c, SEED, pairs, "cpu", work).with(lapack));
        }
      }
    }
  }

  private static void print(String id, Pairs p) {
    double[] ratios = p.ratios();
    System.out.printf(
        "%-28s %12.4f %12.4f %8.2f  (%.2f to %.2f)%n",
        id,
        1e3 * Pairs.median(p.ownSeconds()),
        1e3 * Pairs.median(p.peerSeconds()),
        p.ratio(),
        ratios[0],
        ratios[ratios.length - 1]);
  }
}
