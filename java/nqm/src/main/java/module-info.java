/** The noisy quadratic model of Zhang et al. (2019), with closed forms, tuning and schedules. */
module io.github.kfac4j.nqm {
  requires ddogleg;

  exports io.github.kfac4j.nqm;
}
