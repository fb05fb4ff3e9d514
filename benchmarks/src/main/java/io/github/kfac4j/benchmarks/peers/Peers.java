package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.run.Contender;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** The peers, in this process and in Python. */
public final class Peers {
  private static final String NATIVES =
      "the native code of nd4j and mkl is there after a build with -Ppeers";

  private static final Map<String, IntFunction<Contender>> KNOWN = new LinkedHashMap<>();

  static {
    KNOWN.put("libtorch", threads -> new TorchContender(threads, false));
    KNOWN.put("libtorch cholesky_inverse", threads -> new TorchContender(threads, true));
    KNOWN.put("openblas", threads -> new LapackContender(new OpenBlasLapack(), threads));
    KNOWN.put("mkl", threads -> new LapackContender(new MklLapack(), threads));
    KNOWN.put("nd4j", Peers::nd4j);
    KNOWN.put("ejml", EjmlContender::new);
    KNOWN.put("ojalgo", threads -> new OjalgoContender());
    KNOWN.put("sgd", SgdContender::new);
  }

  /** Scripts of {@code benchmarks/peers} and the method asked of them. */
  private static final Map<String, List<String>> SCRIPTS = new LinkedHashMap<>();

  static {
    SCRIPTS.put("pytorch", List.of("torch_peer.py", "inv"));
    SCRIPTS.put("pytorch cholesky_inverse", List.of("torch_peer.py", "cholesky"));
    SCRIPTS.put("jax", List.of("jax_peer.py", "default"));
    SCRIPTS.put("kfac-pytorch", List.of("kfac_pytorch_peer.py", "inverse"));
    SCRIPTS.put("kfac-pytorch eigen", List.of("kfac_pytorch_peer.py", "eigen"));
  }

  /** Those that are of interest on a GPU only. */
  private static final Map<String, List<String>> GPU_SCRIPTS = new LinkedHashMap<>();

  static {
    GPU_SCRIPTS.put("pytorch tf32", List.of("torch_peer.py", "tf32"));
    GPU_SCRIPTS.put("pytorch bf16", List.of("torch_peer.py", "bf16"));
    GPU_SCRIPTS.put("pytorch conv2d_weight", List.of("torch_peer.py", "conv_weight"));
    GPU_SCRIPTS.put("cusolver graph", List.of("cusolver_peer.py", "default"));
    GPU_SCRIPTS.put("cupy", List.of("cupy_peer.py", "default"));
  }

  private Peers() {}

  /** The peers in this process. */
  public static List<String> names() {
    return List.copyOf(KNOWN.keySet());
  }

  /** The peers in Python on a device, {@code cpu} or {@code cuda}. */
  public static List<String> scripts(String device) {
    List<String> names = new ArrayList<>(SCRIPTS.keySet());
    if (device.equals("cuda")) {
      names.addAll(GPU_SCRIPTS.keySet());
    }
    return names;
  }

  /**
   * Starts a peer in Python.
   *
   * @param python the interpreter
   * @param scripts the folder {@code benchmarks/peers}
   * @param device {@code cpu} or {@code cuda}
   * @throws PeerUnavailableException if its libraries are not there
   */
  public static Contender start(
      String name, Path python, Path scripts, String device, int threads) {
    List<String> script = SCRIPTS.getOrDefault(name, GPU_SCRIPTS.get(name));
    try {
      return new ServedContender(
          List.of(
              python.toString(),
              scripts.resolve(script.get(0)).toString(),
              "--serve",
              "--method=" + script.get(1),
              "--device=" + device,
              "--threads=" + threads),
          Map.of());
    } catch (RuntimeException e) {
      throw new PeerUnavailableException(name, "install it for " + python, e);
    }
  }

  /**
   * ND4J in a JVM of its own: it has the OpenBLAS of the CPU backend, which sets it to one thread,
   * and would share its settings. Its OpenMP threads sleep while they wait: where they spin it
   * takes 16 ms and more for products of half a millisecond.
   */
  private static Contender nd4j(int threads) {
    return inJvm(
        "nd4j",
        threads,
        List.of(),
        Map.of("OMP_WAIT_POLICY", "PASSIVE", "OMP_NUM_THREADS", Integer.toString(threads)));
  }

  /**
   * A contender in a JVM of its own.
   *
   * @param name {@code nd4j}, or a backend of ours
   * @param options for the JVM
   */
  public static Contender inJvm(
      String name, int threads, List<String> options, Map<String, String> environment) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Server.class.getName()));
    command.addAll(List.of(name, Integer.toString(threads)));
    return new ServedContender(command, environment);
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
      throw new PeerUnavailableException(name, NATIVES, e);
    }
  }
}
