package io.github.kfac4j.djl;

import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The references that a block holds to its children. DJL has no way to exchange a child, so this
 * goes by reflection: through the list of children, and through the fields, arrays and lists by
 * which a hand-written block calls them.
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
   *     module
   */
  void replace(Map<Block, Block> by) {
    if (block.getChildren().values().stream().noneMatch(by::containsKey)) {
      return;
    }
    for (Class<?> type = block.getClass(); type != Object.class; type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (!Modifier.isStatic(field.getModifiers()) && mayHoldBlocks(field.getType())) {
          replace(field, by);
        }
      }
    }
  }

  /**
   * Whether the block could hold its child's tap: not if the child is in a field of its own type
   * and that type cannot be extended.
   */
  boolean canHoldAnyBlock(Block child) {
    if (child instanceof Linear || child instanceof Conv2d) {
      return true;
    }
    for (Class<?> type = block.getClass(); type != Object.class; type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        Class<?> declared = field.getType();
        if (declared != Block.class && declared.isInstance(child) && declared != Object.class) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean mayHoldBlocks(Class<?> type) {
    return Block.class.isAssignableFrom(type)
        || BlockList.class.isAssignableFrom(type)
        || List.class.isAssignableFrom(type)
        || Block[].class.isAssignableFrom(type);
  }

  private void replace(Field field, Map<Block, Block> by) {
    try {
      field.setAccessible(true);
      Object value = field.get(block);
      if (value instanceof Block child && by.containsKey(child)) {
        field.set(block, by.get(child));
      } else if (value instanceof Block[] array) {
        Arrays.setAll(array, i -> by.getOrDefault(array[i], array[i]));
      } else if (value instanceof BlockList children) {
        children.values().replaceAll(child -> by.getOrDefault(child, child));
      } else if (value instanceof List<?> list && list.stream().anyMatch(by::containsKey)) {
        List<Object> copy = new ArrayList<>(list);
        copy.replaceAll(element -> by.containsKey(element) ? by.get(element) : element);
        field.set(block, copy);
      }
    } catch (InaccessibleObjectException e) {
      throw new IllegalStateException(
          "K-FAC cannot tap the layers of %s: open its package to the module io.github.kfac4j.djl"
              .formatted(block.getClass().getName()),
          e);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("K-FAC cannot tap the layer in the field " + field, e);
    }
  }
}
