package io.github.kfac4j.distributed.collectives;

import static io.github.kfac4j.distributed.collectives.MpiRuntime.check;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * Ranks that are processes started by {@code mpirun} or {@code srun}, on OpenMPI 4. Each job has a
 * thread that makes its calls of MPI.
 *
 * <p>If a rank dies, OpenMPI ends the others. A process is in one job in its lifetime.
 */
@SuppressWarnings("try") // scopes free what is made inside them
public final class MpiCollectives extends QueuedCollectives {
  private final Pointer comm;
  private final int rank;
  private final int size;
  private boolean closed;

  private MpiCollectives(Pointer comm) {
    super("kfac-mpi");
    this.comm = comm;
    try (PointerScope scope = new PointerScope()) {
      IntPointer number = new IntPointer(1L);
      check("MPI_Comm_rank", Mpi.MPI_Comm_rank(comm, number));
      rank = number.get();
      check("MPI_Comm_size", Mpi.MPI_Comm_size(comm, number));
      size = number.get();
    }
  }

  /** Whether this process was started as one of several ranks. */
  public static boolean launched() {
    return MpiRuntime.launched(System.getenv());
  }

  /**
   * Joins the job that this process was started in.
   *
   * @throws CollectiveException with the reason in one line, if MPI does not work here
   */
  public static MpiCollectives join() {
    MpiRuntime.start();
    return new MpiCollectives(Mpi.world());
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
  protected void doAllReduce(ByteBuffer floats) {
    try (PointerScope scope = new PointerScope()) {
      int count = floats.remaining() / Float.BYTES;
      check(
          "MPI_Allreduce",
          Mpi.MPI_Allreduce(
              Mpi.inPlace(), pointer(floats), count, Mpi.floatType(), Mpi.sum(), comm));
    }
  }

  @Override
  protected void doReduceScatter(ByteBuffer send, int[] counts, ByteBuffer receive) {
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
              comm));
    }
  }

  @Override
  protected void doAllGather(ByteBuffer send, int[] counts, ByteBuffer receive) {
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
              comm));
    }
  }

  @Override
  protected void doAllToAll(
      ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts) {
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
              comm));
    }
  }

  @Override
  protected void doBroadcast(ByteBuffer bytes, int root) {
    try (PointerScope scope = new PointerScope()) {
      check(
          "MPI_Bcast",
          Mpi.MPI_Bcast(pointer(bytes), bytes.remaining(), Mpi.byteType(), root, comm));
    }
  }

  @Override
  protected void doBarrier() {
    check("MPI_Barrier", Mpi.MPI_Barrier(comm));
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
  public Collectives split(int color) {
    AtomicReference<MpiCollectives> made = new AtomicReference<>();
    submit(
            () -> {
              try (PointerPointer<?> handle = new PointerPointer<>(1)) {
                check("MPI_Comm_split", Mpi.MPI_Comm_split(comm, color, rank, handle));
                made.set(new MpiCollectives(new Pointer(handle.get(0))));
              }
            })
        .await();
    return made.get();
  }

  @Override
  public void abort(String reason, int exitCode) {
    System.err.print("rank %d ends the job: %s%n".formatted(rank, reason)); // in one piece
    System.err.flush();
    Mpi.MPI_Abort(Mpi.world(), exitCode);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      submit(this::leave).await();
      stopQueue();
    }
  }

  private void leave() {
    if (comm.equals(Mpi.world())) {
      check("MPI_Finalize", Mpi.MPI_Finalize());
      return;
    }
    try (PointerPointer<?> handle = new PointerPointer<>(1)) {
      check("MPI_Comm_free", Mpi.MPI_Comm_free(handle.put(0, comm)));
    }
  }
}
