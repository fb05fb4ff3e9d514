/**
 * Update rules on DJL arrays whose whole state can be read and restored, so that training resumes
 * bit for bit; DJL's own optimizers hide theirs.
 */
package io.github.kfac4j.experiments.train.optimizer;
