package io.github.kfac4j.djl;

import ai.djl.training.ParameterStore;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import java.lang.reflect.Field;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The learning rate that a trainer's optimizer is about to use. DJL's trainers tell nobody their
 * optimizer, so it is read by reflection: from the parameter store, which every pass is given.
 */
final class LearningRate {
  private LearningRate() {}

  /**
   * The largest rate of these parameters in the next update, with the optimizer's rescaling of
   * gradients; empty if there is no optimizer, or none that keeps a tracker in a field.
   *
   * @param parameters their ids
   */
  static OptionalDouble next(ParameterStore store, List<String> parameters) {
    Optional<Optimizer> found =
        field(store, "parameterServer", Object.class)
            .flatMap(server -> field(server, null, Optimizer.class));
    Optional<ParameterTracker> tracker =
        found.flatMap(optimizer -> field(optimizer, null, ParameterTracker.class));
    if (tracker.isEmpty()) {
      return OptionalDouble.empty();
    }
    Optimizer optimizer = found.get();
    int updates = Math.max(number(optimizer, "numUpdate"), number(optimizer, "beginNumUpdate")) + 1;
    double scale = field(optimizer, "rescaleGrad", Float.class).orElse(1f);
    return parameters.stream()
        .mapToDouble(id -> scale * tracker.get().getNewValue(id, updates))
        .max();
  }

  private static int number(Optimizer optimizer, String name) {
    return field(optimizer, name, Integer.class).orElse(0);
  }

  /** The value of the first field that has one of this type and, unless it is null, this name. */
  private static <T> Optional<T> field(Object owner, String name, Class<T> type) {
    for (Class<?> c = owner.getClass(); c != Object.class; c = c.getSuperclass()) {
      for (Field field : c.getDeclaredFields()) {
        if (name != null && !name.equals(field.getName())) {
          continue;
        }
        try {
          field.setAccessible(true);
          Object value = field.get(owner);
          if (type.isInstance(value)) {
            return Optional.of(type.cast(value));
          }
        } catch (ReflectiveOperationException | RuntimeException e) {
          continue; // closed to us: as if it were not there
        }
      }
    }
    return Optional.empty();
  }
}
