package io.github.kfac4j.nccl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.cuda.CudaJvm;
import io.github.kfac4j.cuda.CudaLibrary;
import io.github.kfac4j.cuda.RequiresCuda;
import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.CollectiveException;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.CollectivesProvider;
import io.github.kfac4j.distributed.collectives.CollectivesScenario;
import io.github.kfac4j.distributed.collectives.Ranks;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of the collectives, over NCCL; ranks are threads, each with a GPU. */
@RequiresCuda
class NcclCollectivesTest {
  private static final boolean EMULATED = Boolean.getBoolean(CudaLibrary.EMULATION);

  @BeforeEach
  void needsNccl() {
    String reason = new NcclProvider().unavailableReason();
    if (EMULATED) {
      assertThat(reason).isNull();
    }
    assumeTrue(reason == null, reason);
  }

  private static void onRanks(int size, Ranks.Task<Void> task) {
    int[] devices = new int[1];
    cudart.cudaGetDeviceCount(devices);
    assumeTrue(EMULATED || size <= devices[0], size + " ranks need as many GPUs");
    Ranks.run(
        size,
        job -> {
          try (Collectives nccl = join(job)) {
            return task.run(nccl);
          }
        });
  }

  /** In a scope of the caller's, which must not free what lasts. */
  @SuppressWarnings("try") // the scope is there to be closed
  private static Collectives join(Collectives job) {
    try (PointerScope scope = new PointerScope()) {
      return NcclCollectives.join(job, EMULATED ? 0 : job.rank());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7})
  void everyOperation(int size) {
    onRanks(
        size,
        c -> {
          assertThat(c.name()).isEqualTo("nccl");
          CollectivesScenario.run(c);
          return null;
        });
  }

  /** More than the memory that is there at first. */
  @Test
  void buffersGrow() {
    onRanks(
        2,
        c -> {
          for (int size : new int[] {1, 5000, 3, 70_000}) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
              values[i] = i * (c.rank() + 1);
            }
            ByteBuffer buffer = Buffers.of(values);
            c.allReduce(buffer).await();
            float[] sums = Buffers.toArray(buffer);
            for (int i = 0; i < size; i++) {
              assertThat(sums[i]).isEqualTo(3f * i);
            }
          }
          return null;
        });
  }

  @Test
  void aRankThatAbortsEndsTheJob() {
    assertThatThrownBy(
            () ->
                onRanks(
                    3,
                    c -> {
                      if (c.rank() == 1) {
                        c.abort("out of memory", 1);
                        Thread.sleep(50);
                      }
                      c.allReduce(Buffers.of(1)).await();
                      return null;
                    }))
        .isInstanceOf(CollectiveException.class)
        .hasMessageContaining("rank 0: ncclAllReduce failed with 6 (remote process exited");
  }

  @Test
  void afterCloseNothingStarts() {
    onRanks(
        1,
        c -> {
          c.close();
          c.close();
          assertThatThrownBy(c::barrier).hasMessage("rank 0 has left the job");
          return null;
        });
  }

  @Test
  void aDeviceThatOneRankDoesNotHaveIsAnErrorOnAll() {
    List<String> messages =
        Ranks.run(
            2,
            job ->
                catchThrowable(() -> NcclCollectives.join(job, job.rank() == 1 ? 99 : 0))
                    .getMessage());
    assertThat(messages.get(0)).contains("rank 0: NCCL was not started, because another rank");
    assertThat(messages.get(1)).contains("rank 1: cudaSetDevice(99) failed with 101");
  }

  @Test
  void isFoundByItsName() {
    assertThat(CollectivesProvider.all())
        .singleElement()
        .satisfies(provider -> assertThat(provider.name()).isEqualTo("nccl"));
  }

  /** Each function fails in turn, in a process of its own; what comes later names the cause. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ncclGetUniqueId 2",
        "ncclCommInitRank 3",
        "ncclReduce 1",
        "ncclBroadcast 1",
        "ncclSend 1",
        "ncclRecv 1",
        "ncclGroupEnd 3",
        "ncclAllReduce 1",
        "ncclCommGetAsyncError 6",
        "cudaMemcpyAsync 1",
        "cudaMalloc 2"
      })
  void everyStatusIsLookedAt(String failure) throws Exception {
    assumeTrue(EMULATED, "only the stand-in fails on demand");
    String function = failure.substring(0, failure.indexOf(' '));
    List<String> lines =
        CudaJvm.run(
            Alone.class, entry -> true, Map.of("KFAC_FAKE_FAIL", failure + " 1 1"), "-Xmx64m");
    assertThat(lines.get(0))
        .startsWith("rank 0: ")
        .contains("failed with " + failure.substring(function.length() + 1) + " (")
        .contains(function.equals("ncclCommGetAsyncError") ? "ncclAllReduce" : function);
    if (!function.equals("ncclGetUniqueId") && !function.equals("ncclCommInitRank")) {
      assertThat(lines).last().isEqualTo("NCCL was ended before: " + lines.get(0));
    }
  }

  /** A rank alone that does everything and says how it ended. */
  static final class Alone {
    public static void main(String[] args) {
      Ranks.run(
          1,
          job -> {
            try (Collectives c = NcclCollectives.join(job, 0)) {
              System.out.println(failure(() -> everything(c)));
              System.out.println(failure(() -> c.barrier().await()));
            } catch (CollectiveException e) {
              System.out.println(e.getMessage());
            }
            return null;
          });
    }

    private static void everything(Collectives c) {
      CollectivesScenario.run(c);
      int[] four = {4}; // of one rank the scenario has empty parts
      c.reduceScatter(Buffers.of(1), four, Buffers.of(2)).await();
      c.allToAll(Buffers.of(1), four, Buffers.of(2), four).await();
    }

    private static String failure(ThrowingCallable work) {
      return catchThrowable(work).getMessage();
    }
  }
}
