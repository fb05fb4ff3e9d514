package io.github.kfac4j.cpu.scheduling;

import io.github.kfac4j.cpu.memory.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/** A plan put together from stages, one phase each. */
public class Stages implements Plan {
  private final List<Stage> stages = new ArrayList<>();
  private double work;

  private record Stage(int tasks, Body body) {}

  /** One task of a stage. */
  public interface Body {
    void run(int task, Arena scratch);
  }

  /** Appends a stage. */
  public final void add(int tasks, Body body) {
    stages.add(new Stage(tasks, body));
  }

  /** Appends a stage that needs no scratch memory. */
  public final void add(int tasks, IntConsumer body) {
    add(tasks, (task, scratch) -> body.accept(task));
  }

  /** Appends a stage of products that do not depend on each other. */
  public final void add(List<? extends Product> products) {
    int[] ends = new int[products.size()];
    int total = 0;
    for (int i = 0; i < ends.length; i++) {
      total += products.get(i).tiles();
      work += products.get(i).work();
      ends[i] = total;
    }
    add(
        total,
        (task, scratch) -> {
          int i = java.util.Arrays.binarySearch(ends, task + 1);
          int product = i < 0 ? -i - 1 : i;
          products.get(product).run(product == 0 ? task : task - ends[product - 1], scratch);
        });
  }

  @Override
  public final int phases() {
    return stages.size();
  }

  @Override
  public final int tasks(int phase) {
    return stages.get(phase).tasks;
  }

  @Override
  public final double work() {
    return work;
  }

  @Override
  public final void run(int phase, int task, Arena scratch) {
    stages.get(phase).body.run(task, scratch);
  }
}
