package io.github.kfac4j.distributed;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * Ranks that are processes started by {@code mpirun} or {@code srun}, on OpenMPI 4. All calls of
 * MPI are made by one thread.
 *
 * <p>If a rank dies, OpenMPI ends the others. A process is in one job in its lifetime.
 */
@SuppressWarnings("try") // scopes free what is made inside them
public final class MpiCollectives extends QueuedCollectives {
  private static final int TEXT = 512;
  private static final String BUILT = "linux-x86_64/built.txt";

  private final int rank;
  private final int size;
  private boolean closed;

  private MpiCollectives(int[] rankAndSize) {
    super("kfac-mpi");
    this.rank = rankAndSize[0];
    this.size = rankAndSize[1];
  }

  /** Whether this process was started as one of several ranks. */
  public static boolean launched() {
    return launched(System.getenv());
  }

  static boolean launched(Map<String, String> environment) {
    return above1(environment.get("OMPI_COMM_WORLD_SIZE"))
        || environment.containsKey("PMIX_RANK") && above1(environment.get("SLURM_STEP_NUM_TASKS"));
  }

  private static boolean above1(String number) {
    return number != null && number.matches("\\d{1,9}") && Integer.parseInt(number) > 1;
  }

  /**
   * Joins the job that this process was started in.
   *
   * @throws CollectiveException with the reason in one line, if MPI does not work here
   */
  public static MpiCollectives join() {
    int[] rankAndSize = new int[2];
    try {
      init(rankAndSize);
    } catch (LinkageError e) {
      throw new CollectiveException("MPI is not available: " + reason(e), e);
    }
    return new MpiCollectives(rankAndSize);
  }

  private static void init(int[] rankAndSize) {
    // UCX would take the JVM's own signals for crashes
    Mpi.setenv("UCX_ERROR_SIGNALS", "", 0);
    try (PointerScope scope = new PointerScope()) {
      IntPointer number = new IntPointer(1L);
      check("MPI_Init_thread", Mpi.MPI_Init_thread(null, null, Mpi.THREAD_MULTIPLE, number));
      Mpi.MPI_Comm_set_errhandler(Mpi.world(), Mpi.errorsReturn());
      check("MPI_Comm_rank", Mpi.MPI_Comm_rank(Mpi.world(), number));
      rankAndSize[0] = number.get();
      check("MPI_Comm_size", Mpi.MPI_Comm_size(Mpi.world(), number));
      rankAndSize[1] = number.get();
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
    try (InputStream in = MpiCollectives.class.getResourceAsStream(BUILT)) {
      return in == null
          ? "kfac4j was built without it"
          : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static void check(String call, int code) {
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

  @Override
  public String name() {
    return "mpi";
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  void doAllReduce(ByteBuffer floats) {
    try (PointerScope scope = new PointerScope()) {
      int count = floats.remaining() / Float.BYTES;
      check(
          "MPI_Allreduce",
          Mpi.MPI_Allreduce(
              Mpi.inPlace(), pointer(floats), count, Mpi.floatType(), Mpi.sum(), Mpi.world()));
    }
  }

  @Override
  void doReduceScatter(ByteBuffer send, int[] counts, ByteBuffer receive) {
    try (PointerScope scope = new PointerScope()) {
      int[] floats = new int[counts.length];
      for (int r = 0; r < floats.length; r++) {
        floats[r] = counts[r] / Float.BYTES;
      }
      check(
          "MPI_Reduce_scatter",
          Mpi.MPI_Reduce_scatter(
              pointer(send),
              pointer(receive),
              new IntPointer(floats),
              Mpi.floatType(),
              Mpi.sum(),
              Mpi.world()));
    }
  }

  @Override
  void doAllGather(ByteBuffer send, int[] counts, ByteBuffer receive) {
    try (PointerScope scope = new PointerScope()) {
      check(
          "MPI_Allgatherv",
          Mpi.MPI_Allgatherv(
              pointer(send),
              send.remaining(),
              Mpi.byteType(),
              pointer(receive),
              new IntPointer(counts),
              starts(counts),
              Mpi.byteType(),
              Mpi.world()));
    }
  }

  @Override
  void doAllToAll(ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts) {
    try (PointerScope scope = new PointerScope()) {
      check(
          "MPI_Alltoallv",
          Mpi.MPI_Alltoallv(
              pointer(send),
              new IntPointer(sendCounts),
              starts(sendCounts),
              Mpi.byteType(),
              pointer(receive),
              new IntPointer(receiveCounts),
              starts(receiveCounts),
              Mpi.byteType(),
              Mpi.world()));
    }
  }

  @Override
  void doBroadcast(ByteBuffer bytes, int root) {
    try (PointerScope scope = new PointerScope()) {
      check(
          "MPI_Bcast",
          Mpi.MPI_Bcast(pointer(bytes), bytes.remaining(), Mpi.byteType(), root, Mpi.world()));
    }
  }

  @Override
  void doBarrier() {
    check("MPI_Barrier", Mpi.MPI_Barrier(Mpi.world()));
  }

  private static Pointer pointer(ByteBuffer buffer) {
    return new BytePointer(buffer);
  }

  private static IntPointer starts(int[] counts) {
    int[] starts = new int[counts.length];
    for (int r = 1; r < starts.length; r++) {
      starts[r] = starts[r - 1] + counts[r - 1];
    }
    return new IntPointer(starts);
  }

  @Override
  public void abort(String reason) {
    System.err.printf("rank %d ends the job: %s%n", rank, reason);
    System.err.flush();
    Mpi.MPI_Abort(Mpi.world(), 1);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      submit(() -> check("MPI_Finalize", Mpi.MPI_Finalize())).await();
      stopQueue();
    }
  }
}
