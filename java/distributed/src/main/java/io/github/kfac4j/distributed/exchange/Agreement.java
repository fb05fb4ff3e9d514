package io.github.kfac4j.distributed.exchange;

import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.distributed.collectives.CollectiveException;
import io.github.kfac4j.distributed.collectives.Collectives;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * One decision on all ranks: either each gets the messages of all, or each throws the failure of
 * the lowest rank that had one, of the same kind and in the same words.
 */
public final class Agreement {
  private final Collectives collectives;
  private final IntFunction<String> names;

  public Agreement(Collectives collectives) {
    this(collectives, "rank %d"::formatted);
  }

  /** With names for the ranks in what is thrown. */
  public Agreement(Collectives collectives, IntFunction<String> names) {
    this.collectives = collectives;
    this.names = names;
  }

  private enum Kind {
    NONE,
    DROPPED,
    ARGUMENT,
    STATE,
    INVERSION,
    OTHER;

    static Kind of(RuntimeException failure) {
      if (failure instanceof InversionFailedException) {
        return INVERSION;
      }
      if (failure instanceof IllegalArgumentException) {
        return ARGUMENT;
      }
      return failure instanceof IllegalStateException ? STATE : OTHER;
    }

    RuntimeException failure(String message) {
      return switch (this) {
        case INVERSION -> new InversionFailedException(message);
        case ARGUMENT -> new IllegalArgumentException(message);
        case STATE, DROPPED -> new IllegalStateException(message);
        default -> new CollectiveException(message);
      };
    }
  }

  /**
   * Exchanges with all ranks whether this one failed.
   *
   * @param failure of this rank, or null
   * @param message to all, if there was no failure
   * @return the messages in the order of the ranks
   */
  public List<byte[]> agree(RuntimeException failure, byte[] message) {
    Kind kind = failure == null ? Kind.NONE : Kind.of(failure);
    byte[] frame =
        Frames.bytes(
            out -> {
              out.writeByte(kind.ordinal());
              if (failure == null) {
                out.write(message);
              } else {
                String words = kind == Kind.OTHER ? failure.toString() : failure.getMessage();
                out.write(String.valueOf(words).getBytes(StandardCharsets.UTF_8));
              }
            });
    List<byte[]> frames = Frames.gather(collectives, frame);
    for (int rank = 0; rank < frames.size(); rank++) {
      requireGood(rank, frames.get(rank), failure);
    }
    return frames.stream().map(one -> Arrays.copyOfRange(one, 1, one.length)).toList();
  }

  /**
   * Comes back when all ranks drop the step. A rank that is in another verb gets an {@link
   * IllegalStateException} there, and is waited for.
   */
  public void drop() {
    String words = "has dropped this step; discardStep() is to be called on all ranks";
    byte[] frame =
        Frames.bytes(
            out -> {
              out.writeByte(Kind.DROPPED.ordinal());
              out.write(words.getBytes(StandardCharsets.UTF_8));
            });
    while (!Frames.gather(collectives, frame).stream().allMatch(one -> Arrays.equals(one, frame))) {
      continue;
    }
  }

  private void requireGood(int rank, byte[] frame, RuntimeException own) {
    Kind kind = Kind.values()[frame[0]];
    if (kind != Kind.NONE) {
      String words = new String(frame, 1, frame.length - 1, StandardCharsets.UTF_8);
      RuntimeException failure =
          kind.failure(
              collectives.size() == 1 ? words : "%s: %s".formatted(names.apply(rank), words));
      if (rank == collectives.rank() && own != null) {
        failure.initCause(own);
      }
      throw failure;
    }
  }
}
