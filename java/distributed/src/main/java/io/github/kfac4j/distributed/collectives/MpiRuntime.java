package io.github.kfac4j.distributed.collectives;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;

/** MPI as a library: whether it is there, its start, its errors. */
@SuppressWarnings("try") // scopes free what is made inside them
final class MpiRuntime {
  private static final int TEXT = 512;
  private static final String BUILT = "linux-x86_64/built.txt";

  private MpiRuntime() {}

  /** Whether a process with this environment was started as one of several ranks. */
  static boolean launched(Map<String, String> environment) {
    return above1(environment.get("OMPI_COMM_WORLD_SIZE"))
        || environment.containsKey("PMIX_RANK") && above1(environment.get("SLURM_STEP_NUM_TASKS"));
  }

  private static boolean above1(String number) {
    return number != null && number.matches("\\d{1,9}") && Integer.parseInt(number) > 1;
  }

  /**
   * Starts MPI, once in the lifetime of a process.
   *
   * @throws CollectiveException with the reason in one line, if it does not work here
   */
  static void start() {
    try {
      init();
    } catch (LinkageError e) {
      throw new CollectiveException("MPI is not available: " + reason(e), e);
    }
  }

  private static void init() {
    // UCX would take the JVM's own signals for crashes
    Mpi.setenv("UCX_ERROR_SIGNALS", "", 0);
    try (PointerScope scope = new PointerScope()) {
      IntPointer provided = new IntPointer(1L);
      check("MPI_Init_thread", Mpi.MPI_Init_thread(null, null, Mpi.THREAD_MULTIPLE, provided));
      Mpi.MPI_Comm_set_errhandler(Mpi.world(), Mpi.errorsReturn());
      if (provided.get() < Mpi.THREAD_MULTIPLE) {
        throw new CollectiveException(
            "MPI is not available: it was built without MPI_THREAD_MULTIPLE; Debian's has it");
      }
    }
  }

  private static String reason(Throwable error) {
    String built = built();
    if (!built.startsWith("built")) {
      return built;
    }
    Throwable deepest = error;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    return deepest.getMessage() + "; install OpenMPI (Debian: openmpi-bin)";
  }

  /** What the build left to be read: whether there is a native part. */
  static String built() {
    try (InputStream in = MpiRuntime.class.getResourceAsStream(BUILT)) {
      return in == null
          ? "kfac4j was built without it"
          : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Throws unless a call succeeded. */
  static void check(String call, int code) {
    if (code == Mpi.SUCCESS) {
      return;
    }
    try (PointerScope scope = new PointerScope()) {
      BytePointer text = new BytePointer((long) TEXT);
      IntPointer length = new IntPointer(1L);
      Mpi.MPI_Error_string(code, text, length);
      byte[] bytes = new byte[length.get()];
      text.get(bytes);
      throw new CollectiveException(
          "%s: %s".formatted(call, new String(bytes, StandardCharsets.UTF_8)));
    }
  }
}
