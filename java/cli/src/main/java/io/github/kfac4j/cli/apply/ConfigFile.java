package io.github.kfac4j.cli.apply;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.InvalidTypeIdException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.files.RegularFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Reads an {@link ApplyConfig}, strictly: nothing unknown, nothing twice, no guessed types. */
final class ConfigFile {
  private static final int MAX_BYTES = 1 << 24;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .build();

  private ConfigFile() {}

  /**
   * Reads a file.
   *
   * @throws BadInputException naming the file, and the place and the value that are wrong
   */
  static ApplyConfig read(Path file) {
    try (JsonParser parser = MAPPER.createParser(RegularFile.read(file, MAX_BYTES))) {
      ApplyConfig config = MAPPER.readValue(parser, ApplyConfig.class);
      if (config == null || parser.nextToken() != null) {
        throw new BadInputException(file + ": expected one JSON object");
      }
      return config;
    } catch (JsonMappingException e) {
      throw new BadInputException(file + ": " + place(e) + reason(e), e);
    } catch (JsonProcessingException e) {
      throw new BadInputException(
          "%s: not valid JSON in line %d: %s"
              .formatted(file, e.getLocation().getLineNr(), e.getOriginalMessage()),
          e);
    } catch (NoSuchFileException e) {
      throw new BadInputException(file + ": no such file", e);
    } catch (IOException e) {
      throw new BadInputException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** For example {@code layers[2].kernel: }. */
  private static String place(JsonMappingException e) {
    StringBuilder place = new StringBuilder();
    for (JsonMappingException.Reference step : e.getPath()) {
      if (step.getFieldName() == null) {
        place.append('[').append(step.getIndex()).append(']');
      } else {
        place.append(place.isEmpty() ? "" : ".").append(step.getFieldName());
      }
    }
    return place.append(place.isEmpty() ? "" : ": ").toString();
  }

  private static String reason(JsonMappingException e) {
    if (e instanceof UnrecognizedPropertyException unknown) {
      return "unknown field; known are " + unknown.getKnownPropertyIds();
    }
    if (e instanceof InvalidTypeIdException type) {
      List<String> known = LayerConfig.types();
      return type.getTypeId() == null
          ? "'type' is missing; known are " + known
          : "unknown type '%s'; known are %s".formatted(type.getTypeId(), known);
    }
    return e.getOriginalMessage();
  }
}
