/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import protobuf from 'protobufjs'

/** Element types of ONNX tensors, by their number in `TensorProto.DataType`. */
export const DATA_TYPE = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11
} as const

/** `TensorProto.DataLocation.EXTERNAL`. */
export const EXTERNAL_LOCATION = 1

/**
 * The part of ONNX's wire format that is written or read here; names and field numbers are those of onnx.proto3. Other
 * fields are skipped when read.
 */
const SCHEMA = protobuf.parse(
  `syntax = "proto3";
  message AttributeProto { string name = 1; float f = 2; int64 i = 3; bytes s = 4; TensorProto t = 5; GraphProto g = 6; repeated TensorProto tensors = 10; repeated GraphProto graphs = 11; int32 type = 20; SparseTensorProto sparse_tensor = 22; repeated SparseTensorProto sparse_tensors = 23; }
  message NodeProto { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated AttributeProto attribute = 5; string domain = 7; }
  message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; repeated StringStringEntryProto external_data = 13; int32 data_location = 14; }
  message SparseTensorProto { TensorProto values = 1; TensorProto indices = 2; }
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
  message TensorShapeProto { repeated Dimension dim = 1; }
  message TensorType { int32 elem_type = 1; TensorShapeProto shape = 2; }
  message TypeProto { TensorType tensor_type = 1; }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message GraphProto { repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5; repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12; repeated SparseTensorProto sparse_initializer = 15; }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message StringStringEntryProto { string key = 1; string value = 2; }
  message FunctionProto { string name = 1; string domain = 10; }
  message ModelProto { int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; repeated FunctionProto functions = 25; }`,
  { keepCase: true }
).root

/** A whole `.onnx` file. */
export const modelProto = SCHEMA.lookupType('ModelProto')
/** A node of a graph. */
export const nodeProto = SCHEMA.lookupType('NodeProto')
/** An input, output or value of a graph. */
export const valueInfoProto = SCHEMA.lookupType('ValueInfoProto')
/** An attribute of a node. */
export const attributeProto = SCHEMA.lookupType('AttributeProto')
