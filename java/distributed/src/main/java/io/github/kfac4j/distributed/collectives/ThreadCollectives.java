package io.github.kfac4j.distributed.collectives;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Ranks that are threads of one process, for tests and simulation. Sums are made in the order of
 * the ranks. Ranks that do not call the same operation are told so, and a rank that leaves ends the
 * job for those that still wait for it.
 */
public final class ThreadCollectives extends QueuedCollectives {
  private final ThreadMeeting meeting;
  private final int rank;
  private boolean closed;

  private record Part(ByteBuffer send, ByteBuffer receive, int[] counts) {}

  private record Member(int color, AtomicReference<Collectives> mine) {}

  private ThreadCollectives(ThreadMeeting meeting, int rank) {
    super("kfac-rank-" + rank);
    this.meeting = meeting;
    this.rank = rank;
  }

  /** One for each rank of a job; each is for a thread of its own. */
  public static List<Collectives> job(int size) {
    ThreadMeeting meeting = new ThreadMeeting(size);
    List<Collectives> ranks = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      ranks.add(new ThreadCollectives(meeting, rank));
    }
    return ranks;
  }

  @Override
  public String name() {
    return "threads";
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return meeting.size();
  }

  @Override
  protected void doAllReduce(ByteBuffer floats) {
    int bytes = floats.remaining();
    meeting.<ByteBuffer>meet(
        rank,
        "all-reduce of %d bytes".formatted(bytes),
        floats,
        all -> {
          float[] sums = sum(all, 0, bytes);
          all.forEach(one -> floats(one, 0, bytes).put(sums));
        });
  }

  @Override
  protected void doReduceScatter(ByteBuffer send, int[] counts, ByteBuffer receive) {
    meeting.<Part>meet(
        rank,
        "reduce-scatter of %s bytes".formatted(Arrays.toString(counts)),
        new Part(send, receive, counts),
        all -> {
          List<ByteBuffer> sent = all.stream().map(Part::send).toList();
          int start = 0;
          for (int r = 0; r < counts.length; r++) {
            floats(all.get(r).receive, 0, counts[r]).put(sum(sent, start, counts[r]));
            start += counts[r];
          }
        });
  }

  @Override
  protected void doAllGather(ByteBuffer send, int[] counts, ByteBuffer receive) {
    meeting.<Part>meet(
        rank,
        "all-gather of %s bytes".formatted(Arrays.toString(counts)),
        new Part(send, receive, counts),
        all -> {
          for (Part part : all) {
            ByteBuffer target = part.receive.duplicate();
            all.forEach(one -> target.put(one.send.duplicate()));
          }
        });
  }

  @Override
  protected void doAllToAll(
      ByteBuffer send, int[] sendCounts, ByteBuffer receive, int[] receiveCounts) {
    meeting.<Part>meet(
        rank, "all-to-all", new Part(send, receive, sendCounts), ThreadCollectives::exchange);
  }

  private static void exchange(List<Part> all) {
    List<ByteBuffer> sources = all.stream().map(part -> part.send.duplicate()).toList();
    for (int to = 0; to < all.size(); to++) {
      ByteBuffer target = all.get(to).receive.duplicate();
      for (int from = 0; from < all.size(); from++) {
        int bytes = all.get(from).counts[to];
        ByteBuffer source = sources.get(from);
        if (bytes > target.remaining()) {
          throw new CollectiveException(
              "all-to-all: rank %d sends %d bytes to rank %d, which expects at most %d"
                  .formatted(from, bytes, to, target.remaining()));
        }
        target.put(source.slice(source.position(), bytes));
        source.position(source.position() + bytes);
      }
    }
  }

  @Override
  protected void doBroadcast(ByteBuffer bytes, int root) {
    meeting.<ByteBuffer>meet(
        rank,
        "broadcast of %d bytes from rank %d".formatted(bytes.remaining(), root),
        bytes,
        all -> {
          for (int r = 0; r < all.size(); r++) {
            if (r != root) {
              all.get(r).duplicate().put(all.get(root).duplicate());
            }
          }
        });
  }

  @Override
  protected void doBarrier() {
    meeting.meet(rank, "barrier", rank, all -> {});
  }

  private static float[] sum(List<ByteBuffer> all, int start, int bytes) {
    float[] sums = new float[bytes / Float.BYTES];
    for (ByteBuffer one : all) {
      FloatBuffer numbers = floats(one, start, bytes);
      for (int i = 0; i < sums.length; i++) {
        sums[i] += numbers.get(i);
      }
    }
    return sums;
  }

  private static FloatBuffer floats(ByteBuffer buffer, int start, int bytes) {
    return buffer.slice(buffer.position() + start, bytes).order(buffer.order()).asFloatBuffer();
  }

  @Override
  public Collectives split(int color) {
    AtomicReference<Collectives> mine = new AtomicReference<>();
    submit(
            () ->
                meeting.<Member>meet(
                    rank, "split", new Member(color, mine), ThreadCollectives::divide))
        .await();
    return mine.get();
  }

  private static void divide(List<Member> all) {
    Map<Integer, List<Member>> jobs = new LinkedHashMap<>();
    all.forEach(one -> jobs.computeIfAbsent(one.color, c -> new ArrayList<>()).add(one));
    for (List<Member> members : jobs.values()) {
      List<Collectives> job = job(members.size());
      for (int i = 0; i < job.size(); i++) {
        members.get(i).mine.set(job.get(i));
      }
    }
  }

  @Override
  public void abort(String reason, int exitCode) {
    meeting.abort("rank %d ended the job: %s".formatted(rank, reason));
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      submit(() -> meeting.abort("rank %d has left the job".formatted(rank)));
      stopQueue();
    }
  }
}
