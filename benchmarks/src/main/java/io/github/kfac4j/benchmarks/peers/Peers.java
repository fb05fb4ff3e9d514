package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.run.Contender;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** The peers that run in this process. */
public final class Peers {
  private static final Map<String, IntFunction<Contender>> KNOWN = new LinkedHashMap<>();

  static {
    KNOWN.put("libtorch", threads -> new TorchContender(threads, false));
    KNOWN.put("libtorch cholesky_inverse", threads -> new TorchContender(threads, true));
    KNOWN.put("openblas", threads -> new LapackContender(new OpenBlasLapack(), threads));
    KNOWN.put("mkl", threads -> new LapackContender(new MklLapack(), threads));
    KNOWN.put("nd4j", Nd4jContender::new);
    KNOWN.put("ejml", EjmlContender::new);
    KNOWN.put("ojalgo", threads -> new OjalgoContender());
  }

  private Peers() {}

  /** Their names. */
  public static List<String> names() {
    return List.copyOf(KNOWN.keySet());
  }

  /**
   * Opens a peer.
   *
   * @throws PeerUnavailableException if its native code is not there or cannot be loaded
   */
  public static Contender open(String name, int threads) {
    try {
      return KNOWN.get(name).apply(threads);
    } catch (LinkageError | RuntimeException e) {
      throw new PeerUnavailableException(name, e);
    }
  }
}
