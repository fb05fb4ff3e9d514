package io.github.kfac4j.oracle;

import java.lang.reflect.Constructor;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Chooses the kind of {@link RowBlock}: {@code VectorRowBlock} where the JVM was started with
 * {@code --add-modules jdk.incubator.vector}, else {@link FmaRowBlock}.
 */
final class RowBlocks {
  static final Supplier<RowBlock> FASTEST = fastest();

  private RowBlocks() {}

  private static Supplier<RowBlock> fastest() {
    Optional<Module> vectors = ModuleLayer.boot().findModule("jdk.incubator.vector");
    if (vectors.isEmpty()) {
      return FmaRowBlock::new;
    }
    RowBlock.class.getModule().addReads(vectors.get());
    try {
      // by name: it is compiled after this class, and not on every JDK
      Constructor<?> vector =
          Class.forName(RowBlock.class.getPackageName() + ".VectorRowBlock")
              .getDeclaredConstructor();
      return () -> make(vector);
    } catch (ReflectiveOperationException | LinkageError e) {
      return FmaRowBlock::new;
    }
  }

  private static RowBlock make(Constructor<?> constructor) {
    try {
      return (RowBlock) constructor.newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
