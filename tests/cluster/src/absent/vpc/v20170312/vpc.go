// Package v20170312 stands in for a cloud's SDK: every call fails.
package v20170312

import "errors"

var errAbsent = errors.New("this cloud's SDK is not built in")

type Filter struct {
	Name   *string
	Values []*string
}

type Route struct {
	DestinationCidrBlock, GatewayId, GatewayType, RouteType *string
	Enabled                                                 *bool
	RouteId                                                 *uint64
}

type RouteTable struct {
	RouteTableId *string
	RouteSet     []*Route
}

type DescribeRouteTablesRequest struct{ Filters []*Filter }

type DescribeRouteTablesResponse struct {
	Response *struct{ RouteTableSet []*RouteTable }
}

type ChangeRequest struct {
	RouteTableId *string
	Routes       []*Route
}

type Client struct{}

func NewClientWithSecretId(_, _, _ string) (*Client, error) { return nil, errAbsent }

func NewDescribeRouteTablesRequest() *DescribeRouteTablesRequest { return &DescribeRouteTablesRequest{} }
func NewDeleteRoutesRequest() *ChangeRequest                     { return &ChangeRequest{} }
func NewCreateRoutesRequest() *ChangeRequest                     { return &ChangeRequest{} }

func (*Client) DescribeRouteTables(*DescribeRouteTablesRequest) (*DescribeRouteTablesResponse, error) {
	return nil, errAbsent
}
func (*Client) DeleteRoutes(*ChangeRequest) (*struct{}, error) { return nil, errAbsent }
func (*Client) CreateRoutes(*ChangeRequest) (*struct{}, error) { return nil, errAbsent }
