package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.safetensors.DType;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong with a layer is said in one line, with the layer's name. */
class LayerRefusalTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "'type':'embedding','width':2 | | layer 'x': 'vocabulary' is missing",
        "'type':'embedding','vocabulary':0,'width':2 | | layer 'x': vocabulary and width must be"
            + " positive but are 0 and 2",
        "'type':'embedding','vocabulary':4,'width':2 | | layer 'x': input holds 7.0 at flat index"
            + " 1, expected whole numbers from 0 to 3",
        "'type':'embedding','vocabulary':8,'width':3 | | layer 'x': input of shape [2] with output"
            + " gradient of shape [2, 2]",
        "'type':'embedding','vocabulary':8,'width':2 | 'approximation':'ekfac' | layer 'x': an"
            + " embedding has the approximation KRONECKER",
        "'type':'embedding','vocabulary':8,'width':2,'approximation':'best' | | unknown"
            + " approximation of layer 'x' 'best'; known are [kronecker, ",
        "'type':'embedding','vocabulary':8,'width':2 | 'convention':'kfac-pytorch' | layer 'x':"
            + " kfac-pytorch has no Embedding",
        "'type':'scale_shift','channels':2,'structure':'half' | | layer 'x': unknown structure"
            + " 'half'; known are [unit_wise, full]",
        "'type':'scale_shift','channels':2,'damping_scale':0.0 | | layer 'x': channels and damping"
            + " scale must be positive but are 2 and 0.0",
        "'type':'scale_shift','channels':2 | | layer 'x': input has shape [2], expected [N, 2,"
            + " ...]",
        "'type':'conv1d','in_channels':1,'out_channels':1,'kernel':2 | | layer 'x': input has shape"
            + " [2], expected [N, 1, L]",
        "'type':'conv1d','in_channels':1,'out_channels':1,'kernel':[2] | | layers[0].kernel: ",
        "'type':'conv_transpose2d','in_channels':1,'out_channels':1,'kernel':[2,2] | | layer 'x':"
            + " input has shape [2], expected [N, 1, H, W]",
        "'type':'dense','in_features':2,'out_features':2,'weight_sharing':'sum' | | layer 'x':"
            + " unknown weight_sharing 'sum'; known are [expand, reduce]",
        "'type':'dense','in_features':1,'out_features':2 | | layer 'x': input has shape [2]",
        "'type':'dense','in_features':1,'out_features':2 | 'approximation':'doubly_factored' |"
            + " layer 'x': DOUBLY_FACTORED is for a FlattenedDense layer",
        "'type':'flattened_dense','channels':2,'out_features':2 | | layer 'x': 'positions' is"
            + " missing",
        "'type':'flattened_dense','channels':2,'positions':1,'out_features':2 |"
            + " 'approximation':'doubly_factored','damping_mode':'exact' | damping mode must be in"
            + " [FACTORED] for the approximation DOUBLY_FACTORED but is EXACT",
        "'type':'dense','in_features':1,'out_features':2 | 'inverse_method':'qr' | unknown"
            + " inverse_method 'qr'; known are [cholesky, eigen, newton_schulz]",
      })
  void isNamed(String layer, String settings, String message) {
    Bench bench = new Bench(directory);
    bench.put("x.input", DType.F64, new double[] {0, 7}, 2);
    bench.put("x.output_grad", DType.F64, new double[] {1, 2, 3, 4}, 2, 2);
    bench.put("x.weight_grad", DType.F64, new double[16], 8, 2);
    String config =
        "{'layers':[{'name':'x',%s}]%s}"
            .formatted(layer, settings == null ? "" : "," + settings)
            .replace('\'', '"');
    Cli.Outcome outcome = bench.run(config);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err()).contains(message).doesNotContain("Exception");
    assertThat(bench.out).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "x.input_2 | layer 'x': tensor 'x.output_grad_2' is missing",
        "x.input_3 | layer 'x': tensor 'x.input_3' is there, but 'x.input_2' is missing",
        "x.output_grad_2 | layer 'x': tensor 'x.output_grad_2' is there, but 'x.input_2' is missing",
        "x.input_01 | layer 'x': tensor 'x.input_01' is not used",
        "y.input_2 | tensor 'y.input_2' belongs to no layer",
      })
  void usesAreComplete(String tensor, String message) {
    Bench bench = new Bench(directory);
    bench.put("x.input", DType.F64, new double[] {0, 7}, 2);
    bench.put("x.output_grad", DType.F64, new double[] {1, 2, 3, 4}, 2, 2);
    bench.put("x.weight_grad", DType.F64, new double[16], 8, 2);
    bench.put(tensor, DType.F64, new double[] {1, 2}, 2);
    Cli.Outcome outcome =
        bench.run(
            "{\"layers\":[{\"name\":\"x\",\"type\":\"embedding\",\"vocabulary\":8,\"width\":2}]}");
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err()).contains(message);
  }
}
