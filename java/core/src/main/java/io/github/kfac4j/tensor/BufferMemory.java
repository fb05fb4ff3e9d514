package io.github.kfac4j.tensor;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.Buffer;
import java.util.Optional;

/**
 * Where the first element of a buffer is. Memory outside the heap tells its address by {@code
 * java.lang.foreign}, and before JDK 22 by {@code sun.misc.Unsafe}, by reflection because neither
 * is in all JDKs.
 *
 * @param base an array on the heap, or null
 * @param bytes behind its beginning, or an address
 */
record BufferMemory(Object base, long bytes) {
  private static final MethodHandle ADDRESS = address();

  /**
   * That of a buffer whose position is 0.
   *
   * @return empty if this JVM does not tell, as of a heap buffer of bytes that is seen as floats
   */
  static Optional<BufferMemory> of(Buffer buffer, int elementBytes) {
    if (buffer.hasArray()) {
      return Optional.of(
          new BufferMemory(buffer.array(), (long) buffer.arrayOffset() * elementBytes));
    }
    if (!buffer.isDirect() || ADDRESS == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(new BufferMemory(null, (long) ADDRESS.invokeExact(buffer)));
    } catch (Throwable e) { // which method handles declare
      throw new IllegalStateException(e);
    }
  }

  /** From a direct buffer to the address of its element 0; null if there is no way. */
  private static MethodHandle address() {
    try {
      return Runtime.version().feature() >= 22 ? ofSegment() : ofField();
    } catch (ReflectiveOperationException | RuntimeException e) {
      return null;
    }
  }

  private static MethodHandle ofSegment() throws ReflectiveOperationException {
    MethodHandles.Lookup lookup = MethodHandles.publicLookup();
    Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
    MethodHandle of =
        lookup.findStatic(segment, "ofBuffer", MethodType.methodType(segment, Buffer.class));
    MethodHandle address =
        lookup.findVirtual(segment, "address", MethodType.methodType(long.class));
    return MethodHandles.filterReturnValue(of, address);
  }

  private static MethodHandle ofField() throws ReflectiveOperationException {
    Class<?> type = Class.forName("sun.misc.Unsafe");
    Field instance = type.getDeclaredField("theUnsafe");
    instance.setAccessible(true);
    Object unsafe = instance.get(null);
    Field field = Buffer.class.getDeclaredField("address");
    long offset = (long) type.getMethod("objectFieldOffset", Field.class).invoke(unsafe, field);
    MethodHandle get =
        MethodHandles.publicLookup()
            .findVirtual(
                type, "getLong", MethodType.methodType(long.class, Object.class, long.class))
            .bindTo(unsafe);
    return MethodHandles.insertArguments(get, 1, offset)
        .asType(MethodType.methodType(long.class, Buffer.class));
  }
}
