package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.peers.PeerUnavailableException;
import io.github.kfac4j.benchmarks.peers.Peers;
import io.github.kfac4j.benchmarks.run.Contender;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The peers that can be used here, opened when they are first needed. */
final class PeerPool implements AutoCloseable {
  private final Path python;
  private final Path scripts;
  private final String device;
  private final int threads;
  private final Map<String, Contender> open = new LinkedHashMap<>();
  private final List<String> missing = new ArrayList<>();

  /**
   * Peers that get a number of threads.
   *
   * @param python the interpreter for the peers in Python, null to leave them out
   * @param scripts the folder of their scripts
   * @param device {@code cpu} or {@code cuda}, for those in Python
   */
  PeerPool(Path python, Path scripts, String device, int threads) {
    this.python = python;
    this.scripts = scripts;
    this.device = device;
    this.threads = threads;
  }

  /** All names, those in Python only if there is one. */
  List<String> names() {
    List<String> names = new ArrayList<>();
    if (device.equals("cpu")) {
      names.addAll(Peers.names());
    }
    if (python != null) {
      names.addAll(Peers.scripts(device));
    }
    return names;
  }

  /** The peer of this name, or null if it cannot be used, which is said once. */
  Contender get(String name) {
    if (missing.contains(name)) {
      return null;
    }
    try {
      return open.computeIfAbsent(name, this::start);
    } catch (PeerUnavailableException e) {
      System.err.println("left out: " + e.getMessage());
      missing.add(name);
      return null;
    }
  }

  private Contender start(String name) {
    return Peers.names().contains(name)
        ? Peers.open(name, threads)
        : Peers.start(name, python, scripts, device, threads);
  }

  /** The versions of those that were opened. */
  Map<String, String> versions() {
    Map<String, String> versions = new TreeMap<>();
    open.forEach((name, peer) -> versions.put(name, peer.version()));
    return versions;
  }

  @Override
  public void close() {
    open.values().forEach(Contender::close);
  }
}
