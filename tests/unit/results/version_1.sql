-- What petlab of schema version 1 stored for the study of migration_test.cpp.
INSERT INTO datasets (dataset_id, name, version, hash) VALUES
  (1, 'icon-home', '1', 'ff3c256b542cdfff8eaa6a809fab477d6b1339cf255ff7a8afd1035a15b76726');
INSERT INTO tasks (task_id, dataset_id, name) VALUES
  (1, 1, 'line'),
  (2, 1, 'emoji');
INSERT INTO classes (task_id, label, name) VALUES
  (1, 0, 'bed'),
  (1, 1, 'fork'),
  (1, 2, 'kettle'),
  (1, 3, 'lamp'),
  (2, 0, 'bed'),
  (2, 1, 'fork'),
  (2, 2, 'kettle'),
  (2, 3, 'lamp');
INSERT INTO images (image_id, task_id, sample_id, label) VALUES
  (1, 1, 'line/0', 0),
  (2, 1, 'line/1', 1),
  (3, 1, 'line/2', 2),
  (4, 1, 'line/3', 3),
  (5, 1, 'line/4', 0),
  (6, 1, 'line/5', 1),
  (7, 1, 'line/6', 2),
  (8, 1, 'line/7', 3),
  (9, 1, 'line/8', 0),
  (10, 1, 'line/9', 1),
  (11, 2, 'emoji/0', 0),
  (12, 2, 'emoji/1', 1),
  (13, 2, 'emoji/2', 2),
  (14, 2, 'emoji/3', 3),
  (15, 2, 'emoji/4', 0),
  (16, 2, 'emoji/5', 1),
  (17, 2, 'emoji/6', 2),
  (18, 2, 'emoji/7', 3),
  (19, 2, 'emoji/8', 0),
  (20, 2, 'emoji/9', 1);
INSERT INTO splits (split_id, dataset_id, hash, name, fraction, seed) VALUES
  (1, 1, '4c6cf1387a611ef6f919ef511e95a02a873cc60394552f0205a8a59ccac99387', '20%', 0.2, 1);
INSERT INTO split_tasks (split_id, position, task_id, n_train) VALUES
  (1, 0, 1, 4),
  (1, 1, 2, 4);
INSERT INTO split_images (split_id, task_id, position, image_id) VALUES
  (1, 1, 0, 1),
  (1, 1, 1, 2),
  (1, 1, 2, 3),
  (1, 1, 3, 4),
  (1, 1, 4, 5),
  (1, 1, 5, 6),
  (1, 1, 6, 7),
  (1, 1, 7, 8),
  (1, 1, 8, 9),
  (1, 1, 9, 10),
  (1, 2, 0, 11),
  (1, 2, 1, 12),
  (1, 2, 2, 13),
  (1, 2, 3, 14),
  (1, 2, 4, 15),
  (1, 2, 5, 16),
  (1, 2, 6, 17),
  (1, 2, 7, 18),
  (1, 2, 8, 19),
  (1, 2, 9, 20);
INSERT INTO studies (study_id, name, protocol) VALUES
  (1, 'demo', '[study]
name = demo
');
INSERT INTO study_runs (study_id, row_index, seed, row_label, method, sharing, grouping, identity) VALUES
  (1, 0, 1, 'mmap-grouped', 'mmap', 'grouped', 'gradient', '7f9dbcc0f91df8bb2db6f620fd6db6e5c928d345c30f7b2417001899fa01ba64'),
  (1, 1, 1, 'coop', 'coop', 'joint', '', '1f7d3df939053ade2575a5949a51eada3541234a4da00e17af2a2395531af1ed');
INSERT INTO runs (run_id, identity, status, error_kind, error, attempts, method, plugin, plugin_version, sharing, grouping, seed, backbone, backbone_parameters, precision, split_id, started, finished, frozen_hash_before, frozen_hash_after, trained_hash, test_evaluations, determinism) VALUES
  (1, '7f9dbcc0f91df8bb2db6f620fd6db6e5c928d345c30f7b2417001899fa01ba64', 'done', '', '', 1, 'mmap', 'mmap', '0.1.0', 'grouped', 'gradient', 1, 'petlab-icon-clip', 100000, 'float32', 1, '2026-01-31T12:00:00Z', '2026-01-31T12:00:10Z', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', 'ffb304816a1090313e833215c08dae3d209cfad1ffd1f674f0909a2ae99e1394', '9b860ff10f223119fc14147a5ed6f211450f1922a3b16cdd1b6d4594edb8502e', 1, 'bit-equal'),
  (2, '1f7d3df939053ade2575a5949a51eada3541234a4da00e17af2a2395531af1ed', 'failed', 'numeric', 'out of memory', 1, 'coop', 'coop', '0.1.0', 'joint', '', 1, 'petlab-icon-clip', 100000, 'float32', 1, '2026-01-31T12:00:00Z', '2026-01-31T12:00:10Z', '', '', '', 0, '');
INSERT INTO run_values (run_id, kind, position, name, value) VALUES
  (1, 'environment', 0, 'device', 'cpu'),
  (1, 'environment', 1, 'cpu', 'Test CPU'),
  (1, 'environment', 2, 'threads', '2'),
  (1, 'environment', 3, 'petlab_version', '0.1.0'),
  (1, 'environment', 4, 'torch_version', '2.13.0'),
  (1, 'environment', 5, 'sources', 'clean'),
  (1, 'identity', 0, 'grouping', 'gradient'),
  (1, 'identity', 1, 'method', 'mmap'),
  (1, 'identity', 2, 'seed', '1'),
  (1, 'identity', 3, 'sharing', 'grouped'),
  (1, 'identity', 4, 'split', '4c6cf1387a611ef6f919ef511e95a02a873cc60394552f0205a8a59ccac99387'),
  (1, 'option', 0, 'n_context', '4'),
  (1, 'protocol', 0, 'epochs', '2'),
  (1, 'protocol', 1, 'batch', '16'),
  (2, 'environment', 0, 'device', 'cpu'),
  (2, 'environment', 1, 'cpu', 'Test CPU'),
  (2, 'environment', 2, 'threads', '2'),
  (2, 'environment', 3, 'petlab_version', '0.1.0'),
  (2, 'environment', 4, 'torch_version', '2.13.0'),
  (2, 'environment', 5, 'sources', 'clean'),
  (2, 'identity', 0, 'grouping', ''),
  (2, 'identity', 1, 'method', 'coop'),
  (2, 'identity', 2, 'seed', '1'),
  (2, 'identity', 3, 'sharing', 'joint'),
  (2, 'identity', 4, 'split', '4c6cf1387a611ef6f919ef511e95a02a873cc60394552f0205a8a59ccac99387'),
  (2, 'option', 0, 'n_context', '4'),
  (2, 'protocol', 0, 'epochs', '2'),
  (2, 'protocol', 1, 'batch', '16');
INSERT INTO parameter_counts (run_id, position, scope, owner, trainable, stored_bytes) VALUES
  (1, 0, 'frozen', 'backbone', 0, 400000),
  (1, 1, 'shared', '', 512, 2048);
INSERT INTO phase_costs (run_id, position, phase, seconds, images, peak_host_bytes, peak_device_bytes, flops) VALUES
  (1, 0, 'setup', 0.5, 0, 1048576, NULL, NULL),
  (1, 1, 'train', 10.0, 16, 2097152, 8589934592, 1500000000.0),
  (1, 2, 'evaluate', 2.0, 20, 1048576, NULL, NULL);
INSERT INTO epochs (run_id, position, phase, epoch, loss, learning_rate, seconds) VALUES
  (1, 0, 'train', 0, 1.25, 0.002, 5.0),
  (1, 1, 'train', 1, 0.75, 0.001, 5.0);
INSERT INTO task_results (run_id, task_id, n_train, n_test, n_correct, loss) VALUES
  (1, 1, 4, 10, 7, 0.5),
  (1, 2, 4, 10, 5, 0.5);
INSERT INTO predictions (run_id, task_id, format, data) VALUES
  (1, 1, 1, X'000001000200030000000100020000000100020066E666E666E666E666E666E666E6666666666666'),
  (1, 2, 1, X'000001000200030000000200030000000100020066E666E666E666E666E666666666666666666666');
INSERT INTO groupings (run_id, strategy, seconds) VALUES
  (1, 'gradient', 1.5);
INSERT INTO grouping_tasks (run_id, position, task) VALUES
  (1, 0, 'line'),
  (1, 1, 'emoji');
INSERT INTO grouping_affinity (run_id, row_position, col_position, value) VALUES
  (1, 0, 0, 1.0),
  (1, 0, 1, -0.25),
  (1, 1, 0, -0.25),
  (1, 1, 1, 1.0);
INSERT INTO grouping_partitions (run_id, place, score) VALUES
  (1, 0, 0.0),
  (1, 1, -0.25);
INSERT INTO grouping_members (run_id, place, group_index, position, task) VALUES
  (1, 0, 0, 0, 'line'),
  (1, 0, 1, 0, 'emoji'),
  (1, 1, 0, 0, 'line'),
  (1, 1, 0, 1, 'emoji');
