package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.reference.FallbackBackend;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.testkit.EveryLayer;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A backend that can do nothing but hold matrices still does all of K-FAC, and says so. */
class FallbackTest {
  private static final Set<String> KEPT =
      Set.of("name", "storage", "allocate", "allocateBasis", "inTurn", "close", "toString");

  private static Backend bare() {
    Backend java = new JavaBackend();
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (!KEPT.contains(method.getName())) {
                throw new UnsupportedOperationException("a test");
              }
              try {
                Object result = method.invoke(java, arguments);
                return result instanceof MatrixStack stack ? foreign(stack) : result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** A stack that the fp64 backend would not take for its own. */
  private static MatrixStack foreign(MatrixStack stack) {
    return (MatrixStack)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {MatrixStack.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "hashCode" -> System.identityHashCode(proxy);
                  case "equals" -> proxy == arguments[0];
                  case "like" -> foreign(stack.like());
                  case "copyFrom" -> {
                    stack.set(((MatrixStack) arguments[0]).toArray());
                    yield null;
                  }
                  default -> method.invoke(stack, arguments);
                });
  }

  @ParameterizedTest
  @EnumSource(Approximation.class)
  void everyVerbFallsBackAndIsNamedOnce(Approximation approximation) {
    List<String> log = new ArrayList<>();
    Backend backend = new FallbackBackend(bare(), log::add);
    try (Kfac bare = EveryLayer.kfac(backend, approximation, OPTIONS);
        Kfac java = EveryLayer.kfac(new JavaBackend(), approximation, OPTIONS)) {
      for (int step = 0; step < 2; step++) {
        double[][] expected = EveryLayer.step(java, new Random(step));
        assertThat(EveryLayer.step(bare, new Random(step))).isDeepEqualTo(expected);
      }
    }
    assertThat(log).doesNotHaveDuplicates();
    assertThat(log)
        .anySatisfy(
            line -> assertThat(line).contains("backend 'java' has no verb 'accumulate'", "a test"));
  }
}
