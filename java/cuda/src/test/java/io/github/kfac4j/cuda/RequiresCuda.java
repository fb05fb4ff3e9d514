package io.github.kfac4j.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A test of the CUDA backend. It runs on a GPU where there is one, and in any case on the emulated
 * kernels if a C++ compiler could build them.
 */
@Tag("gpu")
@ExtendWith(RequiresCuda.Condition.class)
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface RequiresCuda {
  /** Skips only where there is nothing to run on; a backend that should be there must work. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      boolean emulated = Boolean.getBoolean(CudaLibrary.EMULATION);
      String built = CudaLibrary.built();
      boolean possible =
          emulated ? built == null || !built.startsWith("skipped") : CudaLibrary.failure() == null;
      return possible
          ? ConditionEvaluationResult.enabled(emulated ? "emulated" : "on a GPU")
          : ConditionEvaluationResult.disabled(emulated ? built : CudaLibrary.failure());
    }
  }
}
