package io.github.kfac4j.cli.train;

import static io.github.kfac4j.cli.train.MpiRun.assertNearWeights;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.cli.CudaHere;
import io.github.kfac4j.distributed.collectives.Mpirun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training by processes that talk over NCCL, of which only the stand-in needs no GPU each. */
@Tag("gpu")
class NcclTrainTest {
  @TempDir Path directory;

  @Test
  void ranksTrainAsOverMpi() throws Exception {
    CudaHere.assume();
    assumeTrue(CudaHere.emulated(), "needs a GPU for each of 3 ranks");
    Mpirun.assume();
    MpiRun mpi = new MpiRun(directory);
    Path over = directory.resolve("mpi");
    assertThat(mpi.train(3, arguments(mpi, over))).as(mpi.log()).isZero();

    Path nccl = directory.resolve("nccl");
    List<String> arguments = arguments(mpi, nccl);
    arguments.addAll(List.of("--collectives", "nccl"));
    List<String> emulated = new ArrayList<>();
    for (String property :
        List.of("io.github.kfac4j.cuda.emulation", "org.bytedeco.javacpp.platform.linkpath")) {
      emulated.add("-D%s=%s".formatted(property, System.getProperty(property)));
    }
    assertThat(mpi.train(3, emulated, arguments)).as(mpi.log()).isZero();
    assertThat(mpi.log()).contains("ranks: 3 over nccl");
    assertNearWeights(nccl, over, 1e-4);
  }

  private static List<String> arguments(MpiRun mpi, Path out) {
    List<String> arguments = new ArrayList<>(mpi.arguments(out, 5));
    arguments.addAll(List.of("--backend", "java"));
    return arguments;
  }
}
