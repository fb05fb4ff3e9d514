package io.github.kfac4j.cuda;

import static org.bytedeco.cuda.global.cudart.cudaGetDeviceCount;

import java.util.Map;

/** Which device a process takes: ranks that see the same devices of a machine take one each. */
public final class LocalDevice {
  private LocalDevice() {}

  /**
   * The device of this process: the one that it sees, or the one of its place among the ranks on
   * its machine, as {@code mpirun} and {@code srun} tell.
   */
  public static int ofThisProcess() {
    int[] count = new int[1];
    return cudaGetDeviceCount(count) == 0 ? of(System.getenv(), count[0]) : 0;
  }

  /**
   * The same for an environment.
   *
   * @throws IllegalStateException if there are fewer devices than ranks, but more than one
   */
  static int of(Map<String, String> environment, int devices) {
    String place = environment.get("OMPI_COMM_WORLD_LOCAL_RANK");
    if (place == null) {
      place = environment.getOrDefault("SLURM_LOCALID", "0");
    }
    int rank = place.matches("\\d{1,9}") ? Integer.parseInt(place) : 0;
    if (devices <= 1) {
      return 0;
    }
    if (rank >= devices) {
      throw new IllegalStateException(
          "this is rank %d of those on this machine, from 0, and there are %d GPUs: start one rank"
                  .formatted(rank, devices)
              + " a GPU");
    }
    return rank;
  }
}
