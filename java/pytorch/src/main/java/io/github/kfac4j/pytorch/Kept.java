package io.github.kfac4j.pytorch;

import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/** Native objects whose life does not depend on the scopes that a program has open. */
final class Kept {
  private Kept() {}

  /**
   * Makes an object that lasts until it is closed; what else is made on the way is freed.
   *
   * @param make returns an object that owns what it points to
   */
  static <P extends Pointer> P keep(Supplier<P> make) {
    try (PointerScope own = new PointerScope()) {
      P made = make.get();
      own.detach(made.retainReference());
      return made;
    }
  }
}
