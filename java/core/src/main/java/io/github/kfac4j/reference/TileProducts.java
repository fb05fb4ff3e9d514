package io.github.kfac4j.reference;

import java.lang.reflect.Constructor;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Chooses the kind of {@link TileProduct}: {@code VectorTileProduct} where the JVM was started with
 * {@code --add-modules jdk.incubator.vector}, else {@link FmaTileProduct}.
 */
final class TileProducts {
  static final Supplier<TileProduct> FASTEST = fastest();

  private TileProducts() {}

  private static Supplier<TileProduct> fastest() {
    Optional<Module> vectors = ModuleLayer.boot().findModule("jdk.incubator.vector");
    if (vectors.isEmpty()) {
      return FmaTileProduct::new;
    }
    TileProduct.class.getModule().addReads(vectors.get());
    try {
      // by name: it is compiled after this class, and not on every JDK
      Constructor<?> vector =
          Class.forName(TileProduct.class.getPackageName() + ".VectorTileProduct")
              .getDeclaredConstructor();
      return () -> make(vector);
    } catch (ReflectiveOperationException | LinkageError e) {
      return FmaTileProduct::new;
    }
  }

  private static TileProduct make(Constructor<?> constructor) {
    try {
      return (TileProduct) constructor.newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
