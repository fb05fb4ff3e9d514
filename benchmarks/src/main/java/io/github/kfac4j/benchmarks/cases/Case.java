package io.github.kfac4j.benchmarks.cases;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import java.util.Map;

/** One thing to measure: a verb of K-FAC on tensors of given shapes. */
@JsonTypeInfo(
    use = JsonTypeInfo.Id.NAME,
    include = JsonTypeInfo.As.EXISTING_PROPERTY,
    property = "verb",
    visible = true)
@JsonSubTypes({
  @JsonSubTypes.Type(value = ConvCase.class, name = Case.PATCHES),
  @JsonSubTypes.Type(value = ConvCase.class, name = Case.CONV_FACTOR),
  @JsonSubTypes.Type(value = DenseCase.class, name = Case.DENSE_FACTOR),
  @JsonSubTypes.Type(value = InverseCase.class, name = Case.INVERSE),
  @JsonSubTypes.Type(value = PreconditionCase.class, name = Case.PRECONDITION),
  @JsonSubTypes.Type(value = NetworkCase.class, name = Case.PRECONDITION_NETWORK),
  @JsonSubTypes.Type(value = NetworkCase.class, name = Case.STEP),
  @JsonSubTypes.Type(value = NetworkCase.class, name = Case.TRAINING)
})
public sealed interface Case
    permits ConvCase, DenseCase, InverseCase, PreconditionCase, NetworkCase {
  /** Patches of a convolution written out. */
  String PATCHES = "patches";

  /** A of a convolution, bias column included if there is one: {@code (1/N) sum of x x'}. */
  String CONV_FACTOR = "conv-factor";

  /** A or G of a dense layer: {@code (1/N) sum of x x'}. */
  String DENSE_FACTOR = "dense-factor";

  /** Damped inverses of symmetric matrices. */
  String INVERSE = "inverse";

  /** {@code G^-1 dW A^-1} of one layer, inverses and gradient given. */
  String PRECONDITION = "precondition";

  /** The same for all layers of a network, inputs and output gradients at hand too. */
  String PRECONDITION_NETWORK = "precondition-network";

  /** A whole update: factors, damped inverses and preconditioning of all layers. */
  String STEP = "step";

  /**
   * Ten training steps in DJL, with one update of factors and inverses among them; the peer {@code
   * sgd} leaves K-FAC out.
   */
  String TRAINING = "training";

  /** What is done, one of the constants above. */
  String verb();

  /** Unique within a verb and backend. */
  String name();

  /** The set of cases it belongs to: {@code compare}, {@code more} or {@code tiny}. */
  String set();

  /** The backend of ours that is meant, null for whichever is being measured. */
  String backend();

  /** The ratios aimed at, by peer; may be null. */
  Map<String, Double> targets();

  /** Peers that would take minutes; may be null. */
  List<String> without();

  /** Verb and name, which a user may select by. */
  default String id() {
    return verb() + " " + name() + (backend() == null ? "" : " (" + backend() + ")");
  }
}
