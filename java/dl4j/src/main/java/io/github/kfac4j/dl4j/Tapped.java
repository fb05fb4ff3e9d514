package io.github.kfac4j.dl4j;

import java.io.IOException;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.databind.JsonSerializer;
import org.nd4j.shade.jackson.databind.SerializerProvider;
import org.nd4j.shade.jackson.databind.jsontype.TypeSerializer;

/**
 * What stands in a configuration for a part of it during a pass that K-FAC listens to. Files that
 * are written meanwhile have the part itself.
 */
interface Tapped {
  /** What it stands for. */
  Object delegate();

  /** Writes the delegate, with its own type. */
  final class AsDelegate extends JsonSerializer<Tapped> {
    @Override
    public void serialize(Tapped value, JsonGenerator to, SerializerProvider provider)
        throws IOException {
      provider
          .findTypedValueSerializer(value.delegate().getClass(), true, null)
          .serialize(value.delegate(), to, provider);
    }

    @Override
    public void serializeWithType(
        Tapped value, JsonGenerator to, SerializerProvider provider, TypeSerializer type)
        throws IOException {
      serialize(value, to, provider);
    }
  }
}
