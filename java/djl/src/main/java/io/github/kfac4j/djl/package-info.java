/**
 * K-FAC in training programs of the Deep Java Library, on its PyTorch engine: {@link
 * io.github.kfac4j.djl.DjlKfac} preconditions the gradients of every {@code Linear}, {@code
 * Conv1d}, {@code Conv2d}, {@code TrainableWordEmbedding}, {@link
 * io.github.kfac4j.djl.TiedEmbedding}, {@code BatchNorm} and {@code LayerNorm} of a model, and the
 * program's own optimizer takes the step.
 *
 * <p>With {@code EasyTrain}, three lines are added (the first three):
 *
 * <pre>{@code
 * KfacOptions options = KfacOptions.DEFAULT.withDamping(0.03);
 * try (DjlKfac kfac = DjlKfac.attach(model, options)) {
 *   config.addTrainingListeners(kfac);
 *   try (Trainer trainer = model.newTrainer(config)) {
 *     trainer.initialize(shape);
 *     EasyTrain.fit(trainer, 10, data, null);
 *   }
 * }
 * }</pre>
 *
 * <p>In a hand-written loop, three as well: the first two, and {@code kfac.precondition()}.
 *
 * <pre>{@code
 * KfacOptions options = KfacOptions.DEFAULT.withDamping(0.03);
 * try (DjlKfac kfac = DjlKfac.attach(model, options)) {
 *   for (int epoch = 0; epoch < 10; epoch++) {
 *     for (Batch batch : trainer.iterateDataset(data)) {
 *       try (GradientCollector collector = trainer.newGradientCollector()) {
 *         NDList output = trainer.forward(batch.getData());
 *         NDArray loss = trainer.getLoss().evaluate(batch.getLabels(), output);
 *         collector.backward(loss);
 *       }
 *       kfac.precondition();
 *       trainer.step();
 *       batch.close();
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>{@link io.github.kfac4j.djl.DjlKfacOptimizer} takes the place of {@code kfac.precondition()}
 * and {@code trainer.step()} where the update rule must see weights, gradients and loss together:
 * momentum before preconditioning, Levenberg-Marquardt damping, learning rate and momentum from the
 * quadratic model. DJL has no Jacobian-vector products; they are finite differences there. With
 * {@code EasyTrain} it is a listener in place of {@code DjlKfac}.
 *
 * <p>What a block does not tell of its layer, a feature map in front of it for example, can be said
 * to the {@link io.github.kfac4j.trainer.KfacFactory} that makes K-FAC. Of a normalisation the
 * scale and shift are preconditioned; what they multiply comes from one more forward pass of the
 * block, with scale 1 and shift 0, in steps that update factors.
 */
package io.github.kfac4j.djl;
