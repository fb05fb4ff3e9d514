/** Which metaparameters reach a goal (Ma et al. 2019). */
package io.github.kfac4j.experiments.study.sensitivity;
