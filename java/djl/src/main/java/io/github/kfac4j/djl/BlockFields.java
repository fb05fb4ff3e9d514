package io.github.kfac4j.djl;

import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The references that a block holds to its children. DJL has no way to exchange a child, so this
 * uses reflection: through the list of children, and through the fields, arrays and lists by which
 * a hand-written block calls them. A field is written only if nothing else will do, because JDKs to
 * come refuse that for final ones.
 */
final class BlockFields {
  private final Block block;

  BlockFields(Block block) {
    this.block = block;
  }

  /**
   * Replaces references.
   *
   * @throws IllegalStateException if the block has such children but its package is closed to this
   *     module, or a field may not be written
   */
  void replace(Map<Block, Block> by) {
    if (block.getChildren().values().stream().noneMatch(by::containsKey)) {
      return;
    }
    for (Field field : fields()) {
      replace(field, by);
    }
  }

  /**
   * Whether wherever the block refers to its child it can refer to a block of another class.
   *
   * @throws IllegalStateException as {@link #replace}
   */
  boolean canHold(Class<?> other, Block child) {
    for (Field field : fields()) {
      if (refersTo(read(field), child) && !heldType(field).isAssignableFrom(other)) {
        return false;
      }
    }
    return true;
  }

  private List<Field> fields() {
    List<Field> fields = new ArrayList<>();
    for (Class<?> type = block.getClass(); type != Object.class; type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (!Modifier.isStatic(field.getModifiers()) && mayHoldBlocks(field.getType())) {
          fields.add(field);
        }
      }
    }
    return fields;
  }

  private static boolean mayHoldBlocks(Class<?> type) {
    return Block.class.isAssignableFrom(type)
        || BlockList.class.isAssignableFrom(type)
        || List.class.isAssignableFrom(type)
        || Block[].class.isAssignableFrom(type);
  }

  private static boolean refersTo(Object value, Block child) {
    if (value instanceof Block[] array) {
      return Arrays.stream(array).anyMatch(element -> element == child);
    }
    return value == child
        || (value instanceof List<?> list && list.stream().anyMatch(element -> element == child));
  }

  /** What the field, or the array or list in it, can hold. */
  private Class<?> heldType(Field field) {
    if (read(field) instanceof Block[] array) {
      return array.getClass().getComponentType();
    }
    if (!List.class.isAssignableFrom(field.getType())) {
      return field.getType();
    }
    return field.getGenericType() instanceof ParameterizedType list
        ? erased(list.getActualTypeArguments()[0])
        : Object.class;
  }

  private static Class<?> erased(Type type) {
    if (type instanceof Class<?> plain) {
      return plain;
    }
    if (type instanceof ParameterizedType generic) {
      return erased(generic.getRawType());
    }
    return type instanceof WildcardType wildcard
        ? erased(wildcard.getUpperBounds()[0])
        : Block.class;
  }

  private Object read(Field field) {
    try {
      field.setAccessible(true);
      return field.get(block);
    } catch (InaccessibleObjectException e) {
      throw new IllegalStateException(
          "K-FAC cannot tap the layers of %s: open its package to the module io.github.kfac4j.djl"
              .formatted(block.getClass().getName()),
          e);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("K-FAC cannot read the field " + field, e);
    }
  }

  private void replace(Field field, Map<Block, Block> by) {
    Object value = read(field);
    if (value instanceof Block child && by.containsKey(child)) {
      write(field, by.get(child));
    } else if (value instanceof Block[] array) {
      Arrays.setAll(array, i -> by.getOrDefault(array[i], array[i]));
    } else if (value instanceof BlockList children) {
      children.values().replaceAll(child -> by.getOrDefault(child, child));
    } else if (value instanceof List<?> list && list.stream().anyMatch(by::containsKey)) {
      replace(field, list, by);
    }
  }

  @SuppressWarnings("unchecked") // canHold() has seen to it that the list takes the blocks
  private void replace(Field field, List<?> list, Map<Block, Block> by) {
    List<Object> copy = new ArrayList<>(list);
    copy.replaceAll(element -> by.containsKey(element) ? by.get(element) : element);
    try {
      for (int i = 0; i < copy.size(); i++) {
        ((List<Object>) list).set(i, copy.get(i));
      }
    } catch (UnsupportedOperationException fixed) {
      write(field, copy);
    }
  }

  private void write(Field field, Object value) {
    try {
      field.set(block, value);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(
          ("K-FAC cannot tap the layer in the final field %s of %s, which this JVM does not let it"
                  + " write. Make the field not final, or put DjlKfac.reachable(layer) into it, or"
                  + " start Java with --enable-final-field-mutation=%s")
              .formatted(field.getName(), block.getClass().getName(), module()),
          e);
    }
  }

  private static String module() {
    Module module = BlockFields.class.getModule();
    return module.isNamed() ? module.getName() : "ALL-UNNAMED";
  }
}
