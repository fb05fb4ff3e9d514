/** Steps to a goal against the batch size (Shallue et al. 2019; Zhang et al. 2019). */
package io.github.kfac4j.experiments.study.batchsize;
