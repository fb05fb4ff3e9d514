package io.github.kfac4j.benchmarks;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.peers.OwnContenders;
import io.github.kfac4j.benchmarks.peers.PeerUnavailableException;
import io.github.kfac4j.benchmarks.peers.Peers;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Reference;
import io.github.kfac4j.benchmarks.run.Work;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Everything that is measured is right, on tiny shapes. */
class TinyCasesTest {
  private static final long SEED = 7;

  static Stream<Case> tinyCases() {
    return Cases.of("tiny").stream();
  }

  @ParameterizedTest
  @MethodSource("tinyCases")
  void theCpuBackend(Case c) {
    try (Contender cpu = OwnContenders.open("cpu", 1)) {
      check(cpu, c);
    }
  }

  @ParameterizedTest
  @MethodSource("tinyCases")
  void theJavaBackend(Case c) {
    try (Contender java = OwnContenders.open("java", 1)) {
      check(java, c);
    }
  }

  @Test
  void theJavaBackendOnTheVectorApi() {
    try (Contender java = OwnContenders.open("java-vector", 2)) {
      tinyCases().forEach(c -> check(java, c));
    }
  }

  static Stream<Arguments> peers() {
    return Peers.names().stream()
        .flatMap(peer -> Cases.of("tiny").stream().map(c -> Arguments.of(peer, c)));
  }

  @ParameterizedTest
  @MethodSource("peers")
  void aPeer(String name, Case c) {
    try (Contender peer = Peers.open(name, 2)) {
      check(peer, c);
    } catch (PeerUnavailableException e) {
      Assumptions.abort(e.getMessage());
    }
  }

  static Stream<String> scripts() {
    return Peers.scripts("cpu").stream();
  }

  /** In Python, if {@code -Dkfac.python=...} names one that has the libraries. */
  @ParameterizedTest
  @MethodSource("scripts")
  void aPeerInPython(String name) {
    String python = System.getProperty("kfac.python");
    Assumptions.assumeTrue(python != null, "no Python given by -Dkfac.python=...");
    try (Contender peer = Peers.start(name, Path.of(python), Path.of("peers"), "cpu", 2)) {
      tinyCases().forEach(c -> check(peer, c));
    } catch (PeerUnavailableException e) {
      Assumptions.abort(e.getMessage());
    }
  }

  private static void check(Contender contender, Case c) {
    try (Work work = contender.prepare(c, SEED)) {
      if (work == null) {
        return; // it has no way to do this
      }
      work.run();
      work.run(); // twice is as good as once
      if (Reference.judges(c, work)) {
        Reference.require(contender.name(), c, SEED, work);
      }
    }
  }
}
