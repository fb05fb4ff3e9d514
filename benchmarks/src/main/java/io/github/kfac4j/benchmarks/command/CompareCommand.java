package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.cases.Flops;
import io.github.kfac4j.benchmarks.peers.OwnContenders;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Duel;
import io.github.kfac4j.benchmarks.run.Machine;
import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import io.github.kfac4j.benchmarks.run.Work;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures ours and every peer in turn. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description =
        "Measures ours and every peer in turn on the same inputs and writes a file of results. What"
            + " the file has already is not measured again, so that a run can be made in pieces.")
final class CompareCommand implements Callable<Integer> {
  @Option(names = "--out", required = true, description = "file of results, JSON")
  private Path out;

  @Option(
      names = "--set",
      defaultValue = "compare",
      description =
          "compare, more, gpu or tiny; can be given several times; default: ${DEFAULT-VALUE}")
  private List<String> sets;

  @Option(
      names = "--only",
      description = "only cases whose verb and name contain this; can be given several times")
  private List<String> only = List.of();

  @Option(names = "--peer", description = "only this peer; can be given several times")
  private List<String> peers = List.of();

  @Option(names = "--again", description = "measure again what the file has")
  private boolean again;

  @Option(
      names = "--minutes",
      defaultValue = "0",
      description = "begin no other case after this many minutes; 0 for no limit")
  private double minutes;

  @Option(
      names = "--pairs",
      defaultValue = "5",
      description = "pairs of measurements; default: ${DEFAULT-VALUE}")
  private int pairs;

  @Option(
      names = "--backend",
      defaultValue = "cpu",
      description =
          "ours, where a case does not name one; cuda-kernels are those of cuda alone; default:"
              + " ${DEFAULT-VALUE}")
  private String backend;

  @Option(names = "--threads", description = "for each contender; default: all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(names = "--seed", defaultValue = "1", description = "of the inputs")
  private long seed;

  @Option(
      names = "--python",
      description = "a Python with torch, jax or kfac-pytorch; without it they are left out")
  private Path python;

  @Option(
      names = "--scripts",
      defaultValue = "benchmarks/peers",
      description = "the folder of the Python peers; default: ${DEFAULT-VALUE}")
  private Path scripts;

  @Override
  public Integer call() throws IOException {
    List<Case> cases = cases();
    Results results =
        Files.exists(out) ? Results.read(out) : Results.empty(command(), threads, seed);
    long end = System.nanoTime() + (long) (minutes * 60e9);
    try (PeerPool pool = new PeerPool(python, scripts, device(backend), threads)) {
      if (results.gemmGflops() == 0 && backend.equals("cpu")) {
        results = results.withGemmGflops(GemmRate.measure(threads));
      }
      for (Case c : cases) {
        String own = c.backend() == null ? backend : c.backend();
        if (device(own).equals("cpu") && device(backend).equals("cuda")) {
          continue; // meant for another backend
        }
        if (!again && results.has(c.verb(), c.name(), own)) {
          continue;
        }
        if (minutes > 0 && System.nanoTime() > end) {
          System.err.println("time is up; the same command continues with the rest");
          return 0;
        }
        Measurement measurement = measure(c, own, pool);
        if (measurement == null) {
          continue; // not one of its verbs
        }
        results = results.with(measurement).withVersions(pool.versions());
        results = results.withVersions(Map.of("jdk", System.getProperty("java.vm.version")));
        results.write(out);
      }
    }
    return 0;
  }

  private List<Case> cases() {
    List<Case> all = sets.stream().flatMap(set -> Cases.of(set).stream()).toList();
    List<Case> chosen =
        all.stream()
            .filter(c -> only.isEmpty() || only.stream().anyMatch(c.id()::contains))
            .toList();
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException(
          "--only %s and --set %s choose no case; there are %s"
              .formatted(only, sets, all.stream().map(Case::id).toList()));
    }
    return chosen;
  }

  private Measurement measure(Case c, String own, PeerPool pool) {
    System.err.println(c.id());
    List<Pairs> measured = new ArrayList<>();
    try (Contender ours = OwnContenders.open(own, threads);
        Work work = ours.prepare(c, seed)) {
      if (work == null) {
        return null;
      }
      Duel duel = new Duel(c, seed, pairs, own, work);
      for (String name : pool.names()) {
        Contender peer = wanted(c, name) ? pool.get(name) : null;
        Pairs result = peer == null ? null : against(peer, duel);
        if (result != null) {
          measured.add(result);
          print(result);
        }
      }
      if (measured.isEmpty()) {
        measured.add(duel.alone());
        print(measured.get(0));
      }
    }
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    return new Measurement(
        c.verb(), c.name(), device(own), Flops.of(c), Machine.commit(), now, measured);
  }

  /** Null if the peer has no way to do it, or fails, which is no reason to stop. */
  private static Pairs against(Contender peer, Duel duel) {
    try {
      return duel.with(peer);
    } catch (IllegalStateException | UncheckedIOException e) {
      System.err.printf("  %s left out: %s%n", peer.name(), e.getMessage());
      return null;
    }
  }

  private static String device(String backend) {
    return backend.startsWith("cuda") ? "cuda" : "cpu";
  }

  private boolean wanted(Case c, String peer) {
    boolean chosen = peers.isEmpty() || peers.contains(peer);
    boolean tooSlow = c.without() != null && c.without().contains(peer);
    // beside the pure-Java backend only what it is compared with
    boolean foreign = c.backend() != null && !c.targets().containsKey(peer);
    return chosen && !tooSlow && !foreign;
  }

  private static void print(Pairs p) {
    if (p.peer() == null) {
      System.err.printf(
          "  %-26s %10.4f ms%s%n", p.own(), 1e3 * Pairs.median(p.ownSeconds()), busy(p));
      return;
    }
    double[] ratios = p.ratios();
    System.err.printf(
        "  %-26s %10.4f ms  %s %10.4f ms  ratio %6.2f (%.2f to %.2f)%s%s%n",
        p.peer(),
        1e3 * Pairs.median(p.peerSeconds()),
        p.own(),
        1e3 * Pairs.median(p.ownSeconds()),
        p.ratio(),
        ratios[0],
        ratios[ratios.length - 1],
        p.target() == null ? "" : ", target %.2f".formatted(p.target()),
        busy(p));
  }

  private static String busy(Pairs p) {
    return p.ownBusy() == null ? "" : ", cores busy: %.0f %%".formatted(100 * p.ownBusy());
  }

  private String command() {
    return "java -jar benchmarks/target/benchmarks.jar compare"
        + " --out %s%s".formatted(out, python == null ? "" : " --python python");
  }
}
