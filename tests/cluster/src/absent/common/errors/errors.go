// Package errors stands in for a cloud's SDK.
package errors

type TencentCloudSDKError struct{}

func (*TencentCloudSDKError) Error() string { return "this cloud's SDK is not built in" }
