package io.github.kfac4j.distributed.collectives;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.MemberGetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.presets.javacpp;

/**
 * What is used of {@code mpi.h}. Written by hand, so that it compiles where there is no such
 * header; the native part is built by {@code native/mpi/build.sh}. Handles are passed as the
 * pointers that they are in OpenMPI.
 */
@Properties(
    inherit = javacpp.class,
    value =
        @Platform(
            value = "linux-x86_64",
            define = "OMPI_SKIP_MPICXX 1",
            include = {"<stdlib.h>", "<mpi.h>"},
            link = "mpi@.40"))
@NoException
final class Mpi {
  static {
    Loader.load();
  }

  static final int SUCCESS = 0;
  static final int THREAD_MULTIPLE = 3;

  private Mpi() {}

  static native int setenv(String name, String value, int overwrite);

  @MemberGetter
  @Name("MPI_COMM_WORLD")
  @Cast("char*")
  static native Pointer world();

  @MemberGetter
  @Name("MPI_FLOAT")
  @Cast("char*")
  static native Pointer floatType();

  @MemberGetter
  @Name("MPI_BYTE")
  @Cast("char*")
  static native Pointer byteType();

  @MemberGetter
  @Name("MPI_SUM")
  @Cast("char*")
  static native Pointer sum();

  @MemberGetter
  @Name("MPI_IN_PLACE")
  @Cast("char*")
  static native Pointer inPlace();

  @MemberGetter
  @Name("MPI_ERRORS_RETURN")
  @Cast("char*")
  static native Pointer errorsReturn();

  static native int MPI_Init_thread(
      IntPointer argc, @Cast("char***") Pointer argv, int required, IntPointer provided);

  static native int MPI_Finalize();

  static native int MPI_Abort(@Cast("MPI_Comm") Pointer comm, int code);

  static native int MPI_Comm_set_errhandler(
      @Cast("MPI_Comm") Pointer comm, @Cast("MPI_Errhandler") Pointer handler);

  static native int MPI_Error_string(int code, @Cast("char*") BytePointer text, IntPointer length);

  static native int MPI_Comm_rank(@Cast("MPI_Comm") Pointer comm, IntPointer rank);

  static native int MPI_Comm_size(@Cast("MPI_Comm") Pointer comm, IntPointer size);

  static native int MPI_Comm_split(
      @Cast("MPI_Comm") Pointer comm,
      int color,
      int key,
      @Cast("MPI_Comm*") PointerPointer<?> made);

  static native int MPI_Comm_free(@Cast("MPI_Comm*") PointerPointer<?> comm);

  static native int MPI_Barrier(@Cast("MPI_Comm") Pointer comm);

  static native int MPI_Bcast(
      Pointer buffer,
      int count,
      @Cast("MPI_Datatype") Pointer type,
      int root,
      @Cast("MPI_Comm") Pointer comm);

  static native int MPI_Allreduce(
      @Cast("const void*") Pointer send,
      Pointer receive,
      int count,
      @Cast("MPI_Datatype") Pointer type,
      @Cast("MPI_Op") Pointer op,
      @Cast("MPI_Comm") Pointer comm);

  static native int MPI_Reduce_scatter(
      @Cast("const void*") Pointer send,
      Pointer receive,
      @Cast("const int*") IntPointer counts,
      @Cast("MPI_Datatype") Pointer type,
      @Cast("MPI_Op") Pointer op,
      @Cast("MPI_Comm") Pointer comm);

  static native int MPI_Allgatherv(
      @Cast("const void*") Pointer send,
      int sendCount,
      @Cast("MPI_Datatype") Pointer sendType,
      Pointer receive,
      @Cast("const int*") IntPointer counts,
      @Cast("const int*") IntPointer starts,
      @Cast("MPI_Datatype") Pointer receiveType,
      @Cast("MPI_Comm") Pointer comm);

  static native int MPI_Alltoallv(
      @Cast("const void*") Pointer send,
      @Cast("const int*") IntPointer sendCounts,
      @Cast("const int*") IntPointer sendStarts,
      @Cast("MPI_Datatype") Pointer sendType,
      Pointer receive,
      @Cast("const int*") IntPointer receiveCounts,
      @Cast("const int*") IntPointer receiveStarts,
      @Cast("MPI_Datatype") Pointer receiveType,
      @Cast("MPI_Comm") Pointer comm);
}
